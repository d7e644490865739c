/* Thirty buckets, one a day. A bucket is reused when its day comes round again; what still lies in
 * one from 30 days ago, or was written by a clock that ran ahead, is not counted because its day is
 * looked at each time.
 *
 * Merging: of one day the larger count holds. Two processes that both ask would each count their
 * own share, and the sum cannot be told from one of them counting twice; for one process and its
 * restart, which is what happens, the larger one is the right one. What was taken over counts as a
 * change: a process that only knows of it keeps it alive on the bus. */
#include "reliability.h"

static const int64_t DAY_MS = 86400000;
static const int64_t SKEW_MS = 60000;        /* a document from further in the future is no word */
static const int64_t COUNT_MAX = 1000000000; /* no day has more fetches; their sums stay in range */

static int64_t day_of(int64_t wall_ms)
{
    return wall_ms > 0 ? wall_ms / DAY_MS : 0;
}

static bool counts(const struct reliability_day *d, int64_t today)
{
    return d->day <= today && d->day > today - RELIABILITY_DAYS;
}

static struct reliability_day *bucket(struct reliability *r, int64_t day)
{
    struct reliability_day *d = &r->days[day % RELIABILITY_DAYS];
    if (d->day != day)
        *d = (struct reliability_day){.day = day};
    return d;
}

void reliability_fetch(struct reliability *r, bool good, int64_t wall_ms)
{
    struct reliability_day *d = bucket(r, day_of(wall_ms));
    d->all++;
    d->good += good;
    r->changes++;
}

static void touch(struct reliability *r, int64_t wall_ms)
{
    r->updated_ms = wall_ms > r->updated_ms ? wall_ms : r->updated_ms + 1;
    r->changes++;
}

bool reliability_run(struct reliability *r, bool failed, int64_t wall_ms)
{
    if (!failed && r->failed_runs == 0)
        return false;
    r->failed_runs = failed ? r->failed_runs + 1 : 0;
    touch(r, wall_ms);
    if (r->suspended || r->failed_runs < RELIABILITY_RUNS)
        return false;
    r->suspended = true;
    return true;
}

void reliability_reset(struct reliability *r, int64_t wall_ms)
{
    r->failed_runs = 0;
    r->suspended = false;
    touch(r, wall_ms);
}

struct reliability_score reliability_score(const struct reliability *r, int64_t wall_ms)
{
    struct reliability_score s = {0};
    int64_t today = day_of(wall_ms);
    for (size_t i = 0; i < RELIABILITY_DAYS; i++)
        if (counts(&r->days[i], today)) {
            s.good += r->days[i].good;
            s.all += r->days[i].all;
        }
    return s;
}

json_t *reliability_save(const struct reliability *r, int64_t wall_ms)
{
    json_t *days = json_array();
    int64_t today = day_of(wall_ms);
    for (size_t i = 0; days && i < RELIABILITY_DAYS; i++) {
        const struct reliability_day *d = &r->days[i];
        if (d->all == 0 || !counts(d, today))
            continue;
        if (json_array_append_new(days, json_pack("[I,I,I]", (json_int_t)d->day,
                                                  (json_int_t)d->good, (json_int_t)d->all)) == 0)
            continue;
        json_decref(days);
        return NULL;
    }
    return json_pack("{s:o,s:I,s:b,s:I}", "days", days, "failed_runs", (json_int_t)r->failed_runs,
                     "suspended", (int)r->suspended, "updated", (json_int_t)r->updated_ms);
}

static void merge_day(struct reliability *r, json_t *entry, int64_t today)
{
    json_int_t day, good, all;
    if (json_unpack(entry, "[I,I,I!]", &day, &good, &all) != 0 || good < 0 || good > all ||
        all > COUNT_MAX)
        return;
    struct reliability_day d = {day, good, all};
    if (day < 0 || !counts(&d, today))
        return;
    struct reliability_day *own = bucket(r, day);
    if (all <= own->all)
        return;
    *own = d;
    r->changes++;
}

void reliability_merge(struct reliability *r, const json_t *doc, int64_t wall_ms)
{
    const json_t *days = json_object_get(doc, "days"), *runs = json_object_get(doc, "failed_runs");
    const json_t *suspended = json_object_get(doc, "suspended");
    const json_t *updated = json_object_get(doc, "updated");
    for (size_t i = 0; i < json_array_size(days) && i < RELIABILITY_DAYS; i++)
        merge_day(r, json_array_get(days, i), day_of(wall_ms));
    if (!json_is_integer(runs) || json_integer_value(runs) < 0 ||
        json_integer_value(runs) > COUNT_MAX || !json_is_boolean(suspended) ||
        !json_is_integer(updated))
        return;
    int64_t updated_ms = json_integer_value(updated);
    if (updated_ms <= r->updated_ms || updated_ms > wall_ms + SKEW_MS)
        return;
    r->failed_runs = json_integer_value(runs);
    r->suspended = json_is_true(suspended);
    r->updated_ms = updated_ms;
    r->changes++;
}
