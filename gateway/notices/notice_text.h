/* notice_text.h - a message in words: a subject, and a text of a few lines for each matter. Pure.
 *
 * What the lines say of a matter its owner knows. Whatever it hands over (symbols, providers'
 * words) becomes plain text of one line: control characters turn into blanks, what is no UTF-8 into
 * '?'. */
#ifndef PRICEGATE_NOTICE_TEXT_H
#define PRICEGATE_NOTICE_TEXT_H

#include "buf.h"
#include "notices.h"

/* "" = there is nothing to be said. */
struct notice_facts {
    char name[80];       /* of the matter, for subjects and lists: "coffee", "Redis" */
    char what[200];      /* "no source of coffee answers" */
    char why[300];       /* "yahoo: timeout: no answer within 5 s" */
    char last_good[200]; /* "2.943 USD/lb from yahoo, 2026-11-21 17:01:02 UTC" */
    char to_do[400];
};
typedef void notice_describe(void *ctx, const struct notice *what, struct notice_facts *out);

/* Who says it, when, and who knows what there is to be said. */
struct notice_speaker {
    const char *name; /* of this gateway */
    int64_t wall_ms;
    notice_describe *describe;
    void *ctx;
};
/* Appends. -1: out of memory. */
int notice_text_write(const struct notices_message *m, const struct notice_speaker *by,
                      struct buf *subject, struct buf *text) MUST_CHECK;

/* "2026-11-21 17:01:02 UTC"; returns out. */
#define NOTICE_TIME_MAX 32
const char *notice_time(int64_t wall_ms, char out[static NOTICE_TIME_MAX]);

#endif
