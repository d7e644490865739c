/* notice_wire.h - a message as bytes: a mail (RFC 5322, ASCII whatever the text holds), or the body
 * that Slack's incoming webhooks take, and those of others who copied them. Pure. */
#ifndef PRICEGATE_NOTICE_WIRE_H
#define PRICEGATE_NOTICE_WIRE_H

#include <stdint.h>

#include "buf.h"

struct notice_mail {
    const char *from; /* addresses, checked: config_check_mailbox() */
    const char *const *to;
    size_t to_len;
    const char *subject, *text; /* UTF-8; the subject is one line, the text has \n between lines */
    int64_t wall_ms;
    int64_t series;  /* with number: no other mail has both, but this one when it is sent again */
    uint64_t number; /* so that who got it twice is shown it once */
};

/* Both append; out of memory is remembered in `out`. */
void notice_wire_mail(const struct notice_mail *m, struct buf *out);
void notice_wire_webhook(const char *subject, const char *text, struct buf *out);

#endif
