#include "backlog.h"

#include "conn.h"

static size_t cost_of(const struct conn *c)
{
    return BACKLOG_MESSAGE + c->message.len;
}

static bool may_pass(const struct backlog *b, const struct conn *c)
{
    if (c->message.len <= BACKLOG_SHORT)
        return b->spent < 2 * BACKLOG_TURN;
    return b->spent < BACKLOG_TURN && !b->first;
}

bool backlog_pass(struct backlog *b, struct conn *c)
{
    REQUIRE(!c->waits);
    if (may_pass(b, c)) {
        b->spent += cost_of(c);
        return true;
    }
    c->waits = true;
    c->wait_prev = b->last;
    c->wait_next = NULL;
    if (b->last)
        b->last->wait_next = c;
    else
        b->first = c;
    b->last = c;
    return false;
}

void backlog_leave(struct backlog *b, struct conn *c)
{
    if (!c->waits)
        return;
    if (c->wait_prev)
        c->wait_prev->wait_next = c->wait_next;
    else
        b->first = c->wait_next;
    if (c->wait_next)
        c->wait_next->wait_prev = c->wait_prev;
    else
        b->last = c->wait_prev;
    c->wait_prev = c->wait_next = NULL;
    c->waits = false;
}

void backlog_begin(struct backlog *b)
{
    b->spent = 0;
}

struct conn *backlog_next(struct backlog *b)
{
    struct conn *c = b->first;
    if (!c || b->spent >= BACKLOG_TURN)
        return NULL;
    b->spent += cost_of(c);
    backlog_leave(b, c);
    return c;
}
