/* Connections that never end stay where they once were: a new node behind the balancer gets none of
 * them, an overloaded one keeps its own. With a highest age all of them move now and then.
 *
 *     begins ........ half of the age ........ [ told: goaway ..... closed ] ..... the age
 *                                               └─ at most 5 s ─┘
 *
 * Each has a moment of its own in the second half of the age, so that those who came together,
 * after a restart, do not leave together. Between goaway and close it still gets everything: a
 * client may have its next connection before it gives this one up, and sees no gap.
 *
 * A reload with another age counts from the reload, or with a short one all who are older would go
 * at once. */
#include "age.h"

#include "state.h"

static const int64_t NEVER_NS = INT64_MAX;
static const int64_t NOTICE_NS = 5000 * NS_PER_MS;

static int64_t age_ns(const struct client *c)
{
    return c->f->config->limits.connection_age_s * 1000 * NS_PER_MS;
}

void age_begin(struct client *c, int64_t mono_ns)
{
    int64_t most_ns = age_ns(c);
    if (c->told_ns > 0)
        return;
    c->leave_ns = NEVER_NS;
    if (most_ns > 0)
        c->leave_ns =
            mono_ns + most_ns / 2 + (int64_t)(fanout_random(c->f) % (uint64_t)(most_ns / 2 + 1));
}

/* How long before its end it is told so. */
static int64_t notice_ns(const struct client *c)
{
    int64_t quarter_ns = age_ns(c) / 4;
    return quarter_ns < NOTICE_NS ? quarter_ns : NOTICE_NS;
}

int64_t age_due_ns(const struct client *c)
{
    if (c->leave_ns == NEVER_NS || c->told_ns > 0)
        return c->leave_ns;
    return c->leave_ns - notice_ns(c);
}

bool age_pass(struct client *c, int64_t mono_ns)
{
    if (mono_ns < age_due_ns(c))
        return false;
    if (c->told_ns > 0) {
        client_close(c, CLOSE_AGE);
        return true;
    }
    int64_t left_ms = notice_ns(c) / NS_PER_MS;
    c->leave_ns = mono_ns + notice_ns(c); /* all of it, however late this look is */
    c->told_ns = mono_ns;
    /* In the first quarter: the rest is for the connection to come about. */
    client_goaway(c, close_reason_name(CLOSE_AGE),
                  (int64_t)(fanout_random(c->f) % (uint64_t)(left_ms / 4 + 1)), mono_ns);
    return c->path == CLIENT_CLOSING;
}
