/* doctor.h - what is wrong with a configuration and the machine it is to run on, and the way out.
 *
 *     doctor_look()  ──► struct doctor_facts ──►  doctor_judge()  ──►  struct findings
 *      asks Redis, files, the kernel,               pure: a table of checks,
 *      ports and, if told so, providers             one function each
 *
 * So every judgement is tested without the trouble it is about. Looking changes nothing that lasts,
 * and ends in time, whatever the other side does: what does not answer is a finding. */
#ifndef PRICEGATE_DOCTOR_H
#define PRICEGATE_DOCTOR_H

#include <uv.h>

#include "buf.h"
#include "bus_probe.h"
#include "config.h"
#include "finding.h"
#include "library.h"
#include "machine.h"
#include "named_files.h"
#include "port_look.h"
#include "provider_try.h"
#include "tls_report.h"

enum doctor_library {
    LIBRARY_WEBSOCKETS,
    LIBRARY_HIREDIS,
    LIBRARY_CURL,
    LIBRARY_JANSSON,
    LIBRARY_OPENSSL,
    LIBRARY_UV,
    LIBRARIES_LEN
};

/* named_files_tell() */
struct doctor_file {
    enum named_files_kind kind;
    char *setting, *sentence, *advice; /* advice may be NULL */
};
#define DOCTOR_FILES_MAX 32

#define DOCTOR_PROVIDERS_MAX 32

struct doctor_facts {
    const char *origin;          /* where the configuration is from */
    const struct config *config; /* borrowed; NULL: it has problems, and nothing else is known
                                    but the machine and the libraries */
    const struct buf *problems, *warnings; /* of reading it: a line each; borrowed */
    int64_t wall_ms;
    struct doctor_file files[DOCTOR_FILES_MAX];
    size_t files_len;
    bool failed; /* out of memory: some are missing */
    struct tls_report tls;
    struct port_look main_port, metrics_port;
    struct machine machine;
    int64_t connections;    /* WebSockets and event streams that there can be */
    struct bus_probe redis; /* where redis.url names one */
    bool asked_providers;
    struct err not_asked; /* why not, where they should have been */
    struct provider_try tries[DOCTOR_PROVIDERS_MAX];
    size_t tries_len;
    struct library libraries[LIBRARIES_LEN];
    bool has_event_library; /* the libuv part of libwebsockets */
};

/* Fills the rest of the facts; config, origin, problems, warnings and asked_providers are given. A
 * lookup may still be under way on the loop afterwards (bus_probe.h). */
void doctor_look(uv_loop_t *loop, struct doctor_facts *f);
void doctor_facts_fini(struct doctor_facts *f);

/* Runs the table of checks. Pure. */
void doctor_judge(const struct doctor_facts *f, struct findings *to);

#endif
