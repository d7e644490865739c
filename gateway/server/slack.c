/* What a crowd leaves behind is free, yet spread over pages that the allocator keeps: 5,000 clients
 * that came at once and went again left 41 MB where 13 were used, and after coming back a few times
 * 82, since each handshake's buffers settled between what the last ones had left. malloc_trim()
 * gives all of it back, in one walk over the heap that takes some milliseconds. So it is not for
 * every coming and going: only when at least FEWER connections and half of the most there were are
 * gone, and have been for a while (who was sent away comes back at once, or not). */
#include "slack.h"

static const size_t FEWER = 500;
static const int64_t CALM_MS = 2000;

void slack_grow(struct slack *s, size_t connections)
{
    if (connections > s->most)
        s->most = connections;
}

bool slack_due(struct slack *s, size_t connections, int64_t mono_ms)
{
    if (connections > s->most / 2 || s->most - connections < FEWER) {
        s->few_since_ms = 0;
        return false;
    }
    if (s->few_since_ms == 0)
        s->few_since_ms = mono_ms;
    if (mono_ms - s->few_since_ms < CALM_MS)
        return false;
    *s = (struct slack){.most = connections};
    return true;
}
