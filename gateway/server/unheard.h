/* unheard.h - floods of frames that the library tells nobody of.
 *
 * It answers pings by itself and drops empty pongs: no event says that they came. The kernel says
 * how many bytes came; those that no event has told of are such frames, and a client that sends
 * many of them is closed for it, as for too many commands. Loop thread only. */
#ifndef PRICEGATE_UNHEARD_H
#define PRICEGATE_UNHEARD_H

#include <stddef.h>
#include <stdint.h>

struct conn;
struct server;

struct unheard {
    uint64_t taken;    /* of all bytes, when last looked at: those that were read from the socket */
    uint64_t told;     /* since then, by events */
    int64_t looked_ms; /* mono */
    int64_t too_many;  /* bytes beyond what is usual; it wears off */
};

/* A WebSocket begins. */
void unheard_begin(struct conn *c);
/* An event has told of a frame, or of a piece of one, with so many bytes. */
void unheard_told(struct conn *c, size_t bytes);
/* Looks at some of the WebSockets: at each every thirty seconds, or every second while they are
 * few. */
void unheard_tick(struct server *s, int64_t mono_ms);

#endif
