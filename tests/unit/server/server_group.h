/* server_group.h - one server for all cases of a test program, and what is asked of it often.
 *
 * start_group() and stop_group() are for cmocka's group: the server lives in `state`. */
#ifndef PRICEGATE_TEST_SERVER_GROUP_H
#define PRICEGATE_TEST_SERVER_GROUP_H

#include "server_rig.h"

static inline int start_group(void **state, const char *config)
{
    static struct served s; /* not on the heap: the child would lose it, and call that a leak */
    s = start_server(config);
    *state = &s;
    return 0;
}

static inline int stop_group(void **state)
{
    struct served *s = *state;
    stop_server(s);
    return 0;
}

static inline int port_of(void **state)
{
    const struct served *s = *state;
    return s->port;
}

static inline const char *text_at(const json_t *j, const char *name)
{
    const char *text = json_string_value(json_object_get(j, name));
    return text ? text : "";
}

/* How often the feed side was asked for "refreshes" or "resets". */
static inline int counter(int port, const char *name)
{
    struct reply r = ask(port, "GET", "/data-health/sources", "");
    json_t *j = reply_json(&r);
    json_t *sim = json_object_get(json_object_get(j, "sources"), "sim");
    int n = (int)json_integer_value(json_object_get(sim, name));
    json_decref(j);
    reply_fini(&r);
    return n;
}

#endif
