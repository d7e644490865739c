/* tls_report.h - what is in the files of listen.tls, for people: until when it is valid, for whom,
 * and whether clients will believe it. Reads files; serves nothing. */
#ifndef PRICEGATE_TLS_REPORT_H
#define PRICEGATE_TLS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define TLS_REPORT_TEXT_MAX 200

struct tls_report {
    struct err unusable; /* "" = both files are as a start needs them; else the start's sentence */
    int64_t begins_ms, ends_ms;       /* wall */
    char names[TLS_REPORT_TEXT_MAX];  /* "desk.example, *.desk.example, 192.0.2.7"; "" = none */
    char issuer[TLS_REPORT_TEXT_MAX]; /* who signed the last certificate of the file */
    bool covers_host;                 /* listen.host, where that is one name or address */
    size_t certificates;              /* in the file */
    size_t stray;                     /* the first that did not sign the one before it; 0 = none */
    bool self_signed;                 /* the first one, by itself */
    bool is_trusted;  /* as this machine's list of authorities has it, the dates aside */
    bool key_is_open; /* any user of this machine may read it */
};

/* host: listen.host. */
void tls_report_make(const char *cert, const char *key, const char *host, struct tls_report *out);

#endif
