/* transfer.h - what all that goes through curl has in common, be it a request or a mail: the
 * options that keep it safe and short, and what its failures mean. For fetch.c and mailer.c, which
 * are the only ones besides that know curl. */
#ifndef PRICEGATE_TRANSFER_H
#define PRICEGATE_TRANSFER_H

#include <curl/curl.h>
#include <stdint.h>

#include "attrs.h"
#include "err.h"
#include "failure.h"

/* Of this process' environment, read once. Further trusted certificates come from $SSL_CERT_FILE
 * (a PEM file), else $CURL_CA_BUNDLE. */
struct transfer_setup {
    char *ca_file, *no_proxy; /* NULL = none */
};
int transfer_setup_init(struct transfer_setup *s, struct err *err) MUST_CHECK;
void transfer_setup_fini(struct transfer_setup *s);

/* A handle whose certificates are verified, which sends no signals and does not wait for name
 * servers at its end. timeout_ms: of the whole; half of it may go into connecting. words: a place
 * for curl's own, CURL_ERROR_SIZE bytes that live as long as the handle. NULL: out of memory. The
 * caller curl_easy_cleanup()s it. */
CURL *transfer_new(const struct transfer_setup *s, int64_t timeout_ms, char *words) MUST_CHECK;

/* What a failed transfer (code not CURLE_OK) failed at: dns, connect, tls, timeout, each with a
 * sentence that holds a host's name at most; FAIL_NONE: something else, and nothing is said. */
enum failure transfer_explain(CURL *easy, CURLcode code, const char *words, struct err *detail);

#endif
