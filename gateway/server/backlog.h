/* backlog.h - WebSocket messages that wait for a later turn of the loop.
 *
 * A message may name a thousand symbols, and many clients may send such a one in the same moment.
 * What all of them may cost in one turn is limited; who comes too late for it waits, complete, with
 * his connection, and the first who waits is the first of the next turn. Loop thread only. */
#ifndef PRICEGATE_BACKLOG_H
#define PRICEGATE_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>

struct conn;

struct backlog {
    struct conn *first, *last;
    size_t spent; /* in this turn, of BACKLOG_TURN */
};

/* What a message costs: its bytes and this. */
#define BACKLOG_MESSAGE ((size_t)2048)
/* What a turn has: some 10 ms of names that there are not, or of small commands. */
#define BACKLOG_TURN ((size_t)196608)
/* One that is no longer than this passes those that wait, as long as the turn has not had twice its
 * share: whoever only wants a pong need not wait for those who send lists. */
#define BACKLOG_SHORT ((size_t)1024)

/* c has a message that is complete, c->message. True: it is to be worked on now, and paid for.
 * False: it waits. */
bool backlog_pass(struct backlog *b, struct conn *c);
/* c has no message any more, or will not have it worked on. */
void backlog_leave(struct backlog *b, struct conn *c);
/* A turn begins: the first, as long as it can be paid for; he has left then. NULL: nobody. */
void backlog_begin(struct backlog *b);
struct conn *backlog_next(struct backlog *b);

#endif
