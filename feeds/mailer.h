/* mailer.h - a mail, handed to a server by SMTP beside the loop, with a hard end.
 *
 * smtp:// (with STARTTLS unless switched off; port 25 unless named) or smtps:// (TLS from the first
 * byte; port 465). Certificates are verified as in fetch.h. Knows nothing of what a mail says: its
 * bytes come ready, headers and all. Loop thread only. */
#ifndef PRICEGATE_MAILER_H
#define PRICEGATE_MAILER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "attrs.h"
#include "err.h"
#include "failure.h"

struct mailer;
struct mailer_job;

struct mailer_envelope {
    const char *url;             /* smtp://host[:port] or smtps://... */
    const char *user, *password; /* NULL: without a login */
    const char *from;
    const char *const *to;
    size_t to_len;
    bool starttls; /* of smtp://: the server must offer it; else all goes as plain text */
};

enum mailer_end {
    MAILER_SENT,   /* to one at least; with a failure: others were refused, detail says how many */
    MAILER_AGAIN,  /* it may work later: nobody there, too busy, a certificate that has ended */
    MAILER_REFUSED /* it will not: the login, an address or the mail was refused for good */
};
/* failure and detail: why not; detail is a sentence without secrets, borrowed. May send and cancel
 * others, and close the mailer. */
typedef void mailer_done(void *ctx, enum mailer_end end, enum failure failure, const char *detail);

struct mailer *mailer_new(uv_loop_t *loop, struct err *err) MUST_CHECK;

/* Copies what it needs. bytes: the mail (RFC 5322), lines end in CRLF; lines of a single dot are
 * nothing special. done is never called before this returns. NULL: out of memory. */
struct mailer_job *mailer_send(struct mailer *m, const struct mailer_envelope *to,
                               const char *bytes, size_t len, mailer_done *done,
                               void *ctx) MUST_CHECK;
/* Ends it, within a second or so, without a call of done; whether the mail has left is not known.
 * Not for a job whose done was called. */
void mailer_cancel(struct mailer_job *job);

/* Cancels all jobs; frees when they have ended, then calls done: before this returns where there
 * are none. */
void mailer_close(struct mailer *m, void (*done)(void *ctx), void *ctx);

#endif
