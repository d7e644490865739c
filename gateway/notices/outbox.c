#include "outbox.h"

#include <stdlib.h>
#include <string.h>

static const int64_t PAUSE_MS = 10000; /* after the first try; then three times as long each time */
static const int64_t PAUSE_MAX_MS = 1800000;

static void drop(struct outbox *o, size_t i)
{
    free(o->list[i].subject);
    free(o->list[i].text);
    memmove(&o->list[i], &o->list[i + 1], (o->len - i - 1) * sizeof o->list[0]);
    o->len--;
    if (i == 0) {
        o->tries = 0;
        o->next_ms = 0;
    }
}

void outbox_fini(struct outbox *o)
{
    while (o->len > 0)
        drop(o, 0);
    o->trying = o->hurried = false;
}

int outbox_add(struct outbox *o, const char *subject, const char *text)
{
    struct outbox_message m = {strdup(subject), strdup(text), o->added};
    int dropped = 0;
    if (!m.subject || !m.text) {
        free(m.subject);
        free(m.text);
        return -1;
    }
    if (o->len == OUTBOX_MAX) {
        int64_t next_ms = o->next_ms; /* nobody takes messages, the next one neither */
        drop(o, o->trying ? 1 : 0);
        o->next_ms = next_ms;
        dropped = 1;
    }
    o->list[o->len++] = m;
    o->added++;
    return dropped;
}

const struct outbox_message *outbox_try(struct outbox *o, int64_t mono_ms)
{
    if (o->len == 0 || o->trying || mono_ms < o->next_ms)
        return NULL;
    o->trying = true;
    o->tries++;
    return &o->list[0];
}

void outbox_delivered(struct outbox *o)
{
    REQUIRE(o->trying);
    o->trying = o->hurried = false;
    drop(o, 0);
}

bool outbox_failed(struct outbox *o, bool for_good, int64_t retry_after_ms, int64_t mono_ms)
{
    REQUIRE(o->trying);
    bool at_once = o->hurried;
    o->trying = o->hurried = false;
    if (at_once && o->tries < OUTBOX_TRIES)
        return false;
    if (for_good || o->tries >= OUTBOX_TRIES) {
        drop(o, 0);
        return true;
    }
    int64_t pause_ms = PAUSE_MS;
    for (int i = 1; i < o->tries && pause_ms < PAUSE_MAX_MS; i++)
        pause_ms *= 3;
    if (pause_ms > PAUSE_MAX_MS)
        pause_ms = PAUSE_MAX_MS;
    if (retry_after_ms > PAUSE_MAX_MS)
        retry_after_ms = PAUSE_MAX_MS;
    o->next_ms = mono_ms + (retry_after_ms > pause_ms ? retry_after_ms : pause_ms);
    return false;
}

void outbox_hurry(struct outbox *o)
{
    o->next_ms = 0;
    o->hurried = o->trying;
}
