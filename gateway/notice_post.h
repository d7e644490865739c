/* notice_post.h - brings messages to the channels of `notifications`: mail, webhook.
 *
 * Each channel has its outbox: what cannot be delivered is tried again, later and later, a bounded
 * number of times, and at most OUTBOX_MAX messages wait. The log is told once that a channel does
 * not work, and what to do; the metrics each time. Loop thread only; nothing blocks. */
#ifndef PRICEGATE_NOTICE_POST_H
#define PRICEGATE_NOTICE_POST_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "config.h"
#include "metrics.h"

struct notice_post;

enum notice_channel { CHANNEL_MAIL, CHANNEL_WEBHOOK, NOTICE_CHANNELS };
const char *notice_channel_name(enum notice_channel ch); /* "mail" "webhook" */
bool notice_channel_is_on(enum notice_channel ch, const struct config *config);
bool notice_post_is_on(const struct config *config); /* any of them */

/* How this gateway calls itself: notifications.name, else the host's. Returns out. */
#define NOTICE_NAME_MAX 260
const char *notice_post_name(const struct config *config, char out[static NOTICE_NAME_MAX]);

/* A try has ended: error NULL = delivered, else what to_do is for; borrowed. May be NULL. */
typedef void notice_post_heard(void *ctx, enum notice_channel ch, const char *error,
                               const char *to_do);

/* Borrows metrics. NULL: out of memory. */
struct notice_post *notice_post_new(uv_loop_t *loop, struct metrics *metrics,
                                    notice_post_heard *heard, void *ctx) MUST_CHECK;

/* For each channel of the configuration. */
void notice_post_add(struct notice_post *p, const struct config *config, const char *subject,
                     const char *text);
/* Tries what is due, by this configuration. To be called every second, and may be at any time. */
void notice_post_turn(struct notice_post *p, const struct config *config);
/* Another configuration holds: what waits is tried at once by the new one; for a channel that it
 * does not have any more it is dropped. */
void notice_post_changed(struct notice_post *p, const struct config *config);
/* It ends soon: whatever waits for its next try is tried now. */
void notice_post_hurry(struct notice_post *p);
bool notice_post_is_idle(const struct notice_post *p); /* nothing waits, nothing is on its way */

/* Drops what has not been delivered, which the log is told; frees when the loop has closed all,
 * then calls done. */
void notice_post_close(struct notice_post *p, void (*done)(void *ctx), void *ctx);

#endif
