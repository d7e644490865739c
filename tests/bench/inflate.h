/* inflate.h - compressed messages (permessage-deflate), each independent of the ones before.
 *
 * Most clients get the same bytes, and inflating them a thousand times would measure us and not the
 * server: the last few messages are kept, and the same bytes again are only compared. */
#ifndef INFLATE_H
#define INFLATE_H

#include <stddef.h>
#include <stdint.h>

struct inflater;

struct inflater *inflater_new(void);
void inflater_free(struct inflater *i);

/* The message that bytes[len] hold, valid until the next call. Ends the program when they hold
 * none. */
const unsigned char *inflate_message(struct inflater *i, const unsigned char *bytes, size_t len,
                                     size_t *out_len);

#endif
