/* A matter goes round like this; `told` is a second, slower copy of it, as far as people know:
 *
 *            bad                    bad for after_ms: to be told
 *   well ───────────► in trouble ─────────────────────────────────► in trouble, told
 *    ▲                    │  ▲                                            │
 *    └────────────────────┘  └── bad again (it was not over) ──┐          │ well for after_ms:
 *      well for after_ms                                       └──────────┤ to be told
 *                                                                         ▼
 *                                                                       well
 *
 * What to tell is the difference between how a matter stands and how it was told, looked at anew
 * each time. So a matter that flaps costs nothing but its own place: while a message may not be
 * sent yet it is only either to be told or not. Trouble begins with the first bad moment and ends
 * with the last one, or a matter that is bad every other minute would never have been bad for long.
 */
#include "notices.h"

#include <stdlib.h>
#include <string.h>

static const double BURST = 3;
static const int64_t GATHER_MS = 2000; /* what goes wrong together is told together */

struct matter {
    enum notice_level level; /* of its trouble, the latest; WELL = it has none */
    enum notice_level told;
    bool bad_now, settled;
    bool succeeded;
    bool waiting;                       /* something is to be told of it */
    int64_t since_ms, ended_ms;         /* wall */
    int64_t began_ms, well_ms, told_ms; /* monotonic */
};

struct notices {
    double tokens;
    int64_t tokens_ms;  /* monotonic; 0 = the bucket is full */
    int64_t waiting_ms; /* monotonic: since when something waits; 0 = nothing does */
    size_t passed;
    size_t len;
    struct matter matters[];
};

const char *notice_kind_name(enum notice_kind k)
{
    static const char *const names[] = {"failure", "partial", "recovery", "success"};
    return names[k];
}

struct notices *notices_new(size_t matters)
{
    struct notices *n = calloc(1, sizeof *n + matters * sizeof n->matters[0]);
    if (!n)
        return NULL;
    n->len = matters;
    n->tokens = BURST;
    return n;
}

void notices_free(struct notices *n)
{
    free(n);
}

void notices_take_over(struct notices *n, const struct notices *from,
                       int (*there)(const void *ctx, size_t i), const void *ctx)
{
    n->tokens = from->tokens;
    n->tokens_ms = from->tokens_ms;
    n->waiting_ms = from->waiting_ms;
    n->passed = from->passed;
    for (size_t i = 0; i < from->len; i++) {
        int to = there(ctx, i);
        if (to >= 0)
            n->matters[to] = from->matters[i];
    }
}

void notices_see(struct notices *n, size_t i, enum notice_level level, bool settled,
                 int64_t since_ms, const struct notices_now *now)
{
    REQUIRE(i < n->len);
    struct matter *m = &n->matters[i];
    m->settled = settled;
    if (level == NOTICE_WELL) {
        if (m->bad_now) {
            m->well_ms = now->mono_ms;
            m->ended_ms = now->wall_ms;
        }
        m->bad_now = false;
        return;
    }
    if (m->level == NOTICE_WELL) {
        m->since_ms = since_ms > 0 && since_ms < now->wall_ms ? since_ms : now->wall_ms;
        m->began_ms = now->mono_ms - (now->wall_ms - m->since_ms);
    }
    m->level = level;
    m->bad_now = true;
}

void notices_succeeded(struct notices *n, size_t i)
{
    REQUIRE(i < n->len);
    n->matters[i].succeeded = true;
}

void notices_clock_set(struct notices *n, int64_t by_ms)
{
    for (size_t i = 0; i < n->len; i++) {
        n->matters[i].since_ms += by_ms;
        n->matters[i].ended_ms += by_ms;
    }
}

/* --- what is to be told of one --- */

/* How it stands, as far as that is decided; what is not leaves it as it was told. */
static enum notice_level standing(struct matter *m, int64_t after_ms, int64_t mono_ms)
{
    if (m->settled)
        after_ms = 0;
    if (m->level == NOTICE_WELL)
        return NOTICE_WELL;
    if (!m->bad_now && mono_ms - m->well_ms >= after_ms) {
        m->level = NOTICE_WELL;
        return NOTICE_WELL;
    }
    if (m->told != NOTICE_WELL || (m->bad_now && mono_ms - m->began_ms >= after_ms))
        return m->level;
    return m->told;
}

static enum notice_kind kind_of(enum notice_level level)
{
    return level == NOTICE_BAD ? NOTICE_FAILURE : NOTICE_PARTIAL;
}

static bool differs(struct matter *m, enum notice_level is, const struct notices_rules *rules,
                    int64_t mono_ms, struct notice *out)
{
    bool again = is != NOTICE_WELL && is == m->told && rules->repeat_ms > 0 &&
                 mono_ms - m->told_ms >= rules->repeat_ms;
    if (is != m->told || again) {
        *out = (struct notice){
            .kind = is == NOTICE_WELL ? NOTICE_RECOVERY : kind_of(is),
            .again = again,
            .since_ms = m->since_ms,
            .ended_ms = is == NOTICE_WELL ? m->ended_ms : 0,
        };
        if (rules->tell[out->kind])
            return true;
        if (is == NOTICE_WELL) /* nobody wants to know */
            m->told = NOTICE_WELL;
    }
    if (!m->succeeded)
        return false;
    *out = (struct notice){.kind = NOTICE_SUCCESS};
    m->succeeded = rules->tell[NOTICE_SUCCESS];
    return m->succeeded;
}

static bool to_tell(struct matter *m, const struct notices_rules *rules, int64_t mono_ms,
                    struct notice *out)
{
    return differs(m, standing(m, rules->after_ms, mono_ms), rules, mono_ms, out);
}

/* --- messages --- */

static bool may_send(struct notices *n, const struct notices_rules *rules, int64_t mono_ms)
{
    if (rules->every_ms == 0)
        n->tokens = BURST; /* or what is sent now would be owed once there is a limit again */
    else if (n->tokens_ms > 0)
        n->tokens += (double)(mono_ms - n->tokens_ms) / (double)rules->every_ms;
    if (n->tokens > BURST)
        n->tokens = BURST;
    n->tokens_ms = mono_ms;
    return n->tokens >= 1;
}

/* Looks who waits; a change that has passed before it could be told is counted. */
static size_t count_waiting(struct notices *n, const struct notices_rules *rules, int64_t mono_ms,
                            size_t *joined)
{
    size_t waiting = 0;
    *joined = 0;
    for (size_t i = 0; i < n->len; i++) {
        struct matter *m = &n->matters[i];
        struct notice ignored;
        bool waits = to_tell(m, rules, mono_ms, &ignored);
        *joined += waits && !m->waiting;
        n->passed += !waits && m->waiting;
        m->waiting = waits;
        waiting += waits;
    }
    return waiting;
}

static void tell(struct matter *m, const struct notice *what, struct notices_message *out,
                 int64_t mono_ms)
{
    out->counts[what->kind]++;
    if (out->told_len < NOTICES_TOLD_MAX) {
        out->told[out->told_len++] = *what;
    } else {
        if (out->more_len < NOTICES_MORE_MAX)
            out->more[out->more_len++] = what->matter;
        out->more_all++;
    }
    m->waiting = m->succeeded = false;
    if (what->kind == NOTICE_SUCCESS)
        return;
    m->told = what->kind == NOTICE_RECOVERY ? NOTICE_WELL : m->level;
    m->told_ms = mono_ms;
}

bool notices_take(struct notices *n, const struct notices_rules *rules, bool at_once,
                  const struct notices_now *now, struct notices_message *out, uint64_t *held)
{
    size_t joined, waiting = count_waiting(n, rules, now->mono_ms, &joined);
    bool allowed = may_send(n, rules, now->mono_ms) || at_once;
    *held = allowed ? 0 : joined;
    if (waiting == 0) {
        n->waiting_ms = 0;
        return false;
    }
    if (n->waiting_ms == 0)
        n->waiting_ms = now->mono_ms;
    if (!allowed || (!at_once && now->mono_ms - n->waiting_ms < GATHER_MS))
        return false;
    *out = (struct notices_message){.passed = n->passed};
    for (int kind = 0; kind < NOTICE_KINDS; kind++)
        for (size_t i = 0; i < n->len; i++) {
            struct notice what;
            if (!n->matters[i].waiting || !to_tell(&n->matters[i], rules, now->mono_ms, &what) ||
                (int)what.kind != kind)
                continue;
            what.matter = i;
            tell(&n->matters[i], &what, out, now->mono_ms);
        }
    n->passed = 0;
    n->waiting_ms = 0;
    n->tokens -= 1;
    return true;
}
