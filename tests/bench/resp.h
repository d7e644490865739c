/* resp.h - a subscriber's half of the Redis protocol: SUBSCRIBE out, messages in. Nothing else is
 * understood, and nothing is allocated per message. */
#ifndef RESP_H
#define RESP_H

#include <stddef.h>

#define RESP_BYTES_MAX (1 << 20)

/* Called for each message; the bytes are borrowed until it returns. */
typedef void resp_message_fn(void *ctx, const char *channel, size_t channel_len, const char *bytes,
                             size_t len);

struct resp {
    size_t len;
    char bytes[RESP_BYTES_MAX];
};

/* Reads what the socket holds now (it must not block) and hands out the complete messages. Ends the
 * program when the connection has ended or does not speak the protocol. */
void resp_read(struct resp *r, int fd, resp_message_fn *on_message, void *ctx);

#endif
