/* What travels over the bus: "pricegate:breaker:<p>" and "pricegate:budget:<p>", each a small JSON
 * document that lives two days, longer than any of its contents matters, and
 * "pricegate:reliability:<p>", which lives 35 days and is renewed daily: it must not be forgotten
 * that a provider is suspended because nothing was heard of it. Written on change, read
 * again every few seconds and at the start, so that several processes, or one and its restart,
 * agree. A document that is not one is passed over: it comes from outside. Nothing is written
 * before it was read since the link is up: who starts earlier than Redis would put the little that
 * it knows in place of what the day has cost.
 *
 * For the schedule a provider counts as usable only while it is shown as closed. One whose waiting
 * time is over but which has not proved itself is asked (the probe), yet nobody's pace is
 * stretched to its credits until it has. */
#include "upstream.h"

#include <math.h>
#include <string.h>

#include "clock.h"
#include "jsonx.h"
#include "log.h"

#define KEY_MAX 128

static const char BREAKER_KEY[] = "pricegate:breaker:";
static const char BUDGET_KEY[] = "pricegate:budget:";
static const char RELIABILITY_KEY[] = "pricegate:reliability:";
enum { BREAKER, BUDGET, RELIABILITY };
static const char *const keys[] = {
    [BREAKER] = BREAKER_KEY, [BUDGET] = BUDGET_KEY, [RELIABILITY] = RELIABILITY_KEY};
static const int64_t SHARED_TTL_S = 172800; /* two days */
static const int64_t BUDGET_EVERY_MS = 1000;
static const int64_t RELIABILITY_TTL_S = 3024000; /* 35 days */
static const int64_t RELIABILITY_EVERY_MS = 10000;
static const int64_t RELIABILITY_RENEWED_MS = 86400000;
static const size_t DOCUMENT_MAX = 8192;

void upstream_init(struct upstream *u, const struct provider *row,
                   const struct config_provider *cfg, const struct config *config, const char *off)
{
    *u = (struct upstream){.row = row, .cfg = cfg, .off = off};
    if (!cfg->enabled)
        u->off = cfg->why_disabled ? cfg->why_disabled : "not enabled";
    if (!u->off && row->day_zone && cfg->credits_per_day > 0)
        u->day_zone = zone_load(row->day_zone, &u->day_zone_problem);
    const int64_t limits[BUDGET_WINDOWS] = {
        [BUDGET_SECOND] = cfg->credits_per_second,
        [BUDGET_MINUTE] = cfg->credits_per_minute,
        [BUDGET_HOUR] = cfg->credits_per_hour,
        [BUDGET_DAY] = cfg->credits_per_day,
    };
    budget_init(&u->budget, limits, u->day_zone);
    breaker_init(&u->breaker, config->breaker.threshold, config->breaker.timeout_s);
}

void upstream_fini(struct upstream *u)
{
    kept_reply_fini(&u->kept);
    zone_free(u->day_zone);
    u->day_zone = NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

void upstream_take_over(struct upstream *u, struct upstream *from, int64_t wall_ms)
{
    const struct config_provider *is = u->cfg, *was = from->cfg;
    struct upstream next = *from;
    next.cfg = u->cfg;
    next.off = u->off;
    next.in_use = u->in_use;
    next.day_zone = u->day_zone;
    next.day_zone_problem = u->day_zone_problem;
    memcpy(next.budget.limits, u->budget.limits, sizeof next.budget.limits);
    next.budget.zone = u->day_zone;
    next.breaker.threshold = u->breaker.threshold;
    next.breaker.timeout_ms = u->breaker.timeout_ms;
    from->kept = (struct kept_reply){0};
    kept_reply_fini(&u->kept);
    *u = next;
    if (!same_text(is->api_key, was->api_key) || !same_text(is->base_url, was->base_url) ||
        !same_text(is->account, was->account))
        upstream_reset(u, wall_ms);
}

static size_t no(enum failure *f, enum failure which)
{
    *f = which;
    return 0;
}

size_t upstream_admit(struct upstream *u, size_t n, bool reserve, int64_t wall_ms, enum failure *f,
                      struct err *why)
{
    char at[CLOCK_RFC3339_MAX];
    if (u->off) {
        err_set(why, "%s", u->off);
        return no(f, FAIL_DISABLED);
    }
    if (u->row->generate)
        return n;
    if (u->reliability.suspended) {
        err_set(why,
                "suspended after %d failed runs in a row; POST /data-health/reset-circuit/%s "
                "lifts that",
                RELIABILITY_RUNS, u->row->rule.name);
        return no(f, FAIL_BREAKER_OPEN);
    }
    enum budget_window spent = budget_exhausted(&u->budget, reserve, wall_ms);
    if (spent != BUDGET_WINDOWS) {
        err_set(why, "no credits left for this %s", budget_window_name(spent));
        return no(f, FAIL_BUDGET);
    }
    enum failure reason = breaker_reason(&u->breaker, wall_ms);
    if (!breaker_admit(&u->breaker, wall_ms)) {
        err_set(why, "not asked before %s because of %s",
                clock_rfc3339(breaker_retry_at_ms(&u->breaker, wall_ms), at), failure_name(reason));
        return no(f, FAIL_BREAKER_OPEN);
    }
    u->budget_dirty = true;
    if (u->row->table)
        return budget_take(&u->budget, 1, reserve, wall_ms) > 0 ? n : 0;
    return (size_t)budget_take(&u->budget, (int64_t)n, reserve, wall_ms);
}

static bool of_the_line(enum failure f)
{
    return f == FAIL_TIMEOUT || f == FAIL_DNS || f == FAIL_TLS || f == FAIL_CONNECT;
}

/* Being told to come later says nothing about whether it works. */
static void count_fetch(struct upstream_tally *t, enum failure f)
{
    if (f == FAIL_RATE_LIMITED)
        return;
    t->good += !failure_counts(f);
    t->failed += failure_counts(f);
    t->of_line += of_the_line(f);
}

void upstream_answered(struct upstream *u, const struct verdict *verdict, const char *detail,
                       int64_t asked_ms, int64_t wall_ms)
{
    if (verdict->credits_left >= 0)
        budget_said(&u->budget, verdict->credits_left, wall_ms);
    count_fetch(&u->tally, verdict->failure);
    reliability_fetch(&u->reliability, !failure_counts(verdict->failure), wall_ms);
    if (verdict->failure == FAIL_NONE) {
        u->last_success_ms = wall_ms;
        breaker_success(&u->breaker, wall_ms);
    } else {
        err_set(&u->last_error, "%s: %s", failure_name(verdict->failure), detail);
        u->last_error_ms = wall_ms;
        /* A clock that was set back must not make every failure an old one. */
        bool new_one = asked_ms > u->line_broke_ms || wall_ms < u->line_broke_ms;
        if (!of_the_line(verdict->failure)) {
            breaker_failure(&u->breaker, verdict->failure, wall_ms);
        } else if (new_one) {
            u->line_broke_ms = wall_ms;
            breaker_failure(&u->breaker, verdict->failure, wall_ms);
        }
    }
    if (verdict->cooldown_ms != 0) {
        enum failure f = verdict->failure ? verdict->failure : FAIL_RATE_LIMITED;
        int64_t until_ms = verdict->cooldown_ms > 0 ? wall_ms + verdict->cooldown_ms
                                                    : budget_day_reset_ms(&u->budget, wall_ms);
        breaker_cool(&u->breaker, f, until_ms, wall_ms);
    }
}

void upstream_not_sent(struct upstream *u, int64_t wall_ms)
{
    breaker_abandon(&u->breaker, wall_ms);
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

struct upstream_tally upstream_tally_since(const struct upstream *u,
                                           const struct upstream_tally *before)
{
    const struct upstream_tally *now = &u->tally, *judged = &u->judged;
    return (struct upstream_tally){
        .good = now->good - most(before->good, judged->good),
        .failed = now->failed - most(before->failed, judged->failed),
        .of_line = now->of_line - most(before->of_line, judged->of_line),
    };
}

void upstream_ran(struct upstream *u, bool failed, int64_t wall_ms)
{
    u->judged = u->tally;
    if (u->row->generate || !reliability_run(&u->reliability, failed, wall_ms))
        return;
    u->reliability_written_ms = 0; /* at once */
    log_event(
        LOG_ERROR, "source_suspended", "provider=%s failed_runs=%lld last_error=%s to_do=%s",
        u->row->rule.name, (long long)u->reliability.failed_runs, u->last_error.text,
        "it is not asked any more; once it works, POST /data-health/reset-circuit/<provider>");
}

void upstream_reset(struct upstream *u, int64_t wall_ms)
{
    u->reliability_written_ms = 0;
    reliability_reset(&u->reliability, wall_ms);
    breaker_reset(&u->breaker, wall_ms);
}

/* What people and the schedule see: suspended is shut for good. */
static enum breaker_state shown(const struct upstream *u, int64_t wall_ms)
{
    return u->reliability.suspended ? BREAKER_OPEN : breaker_shown(&u->breaker, wall_ms);
}

/* NULL: it may be asked. */
static const char *reason_text(const struct upstream *u, int64_t wall_ms)
{
    enum failure f = breaker_reason(&u->breaker, wall_ms);
    if (u->off)
        return u->off;
    if (u->reliability.suspended)
        return "suspended";
    return f == FAIL_NONE ? NULL : failure_name(f);
}

bool upstream_askable(struct upstream *u, int64_t wall_ms)
{
    if (u->off || u->reliability.suspended)
        return false;
    bool day = budget_window_left(&u->budget, BUDGET_DAY, true, wall_ms) > 0;
    return u->row->generate || (day && breaker_retry_at_ms(&u->breaker, wall_ms) == 0);
}

bool upstream_probe_due(struct upstream *u, int64_t wall_ms)
{
    return u->in_use && upstream_askable(u, wall_ms) && u->breaker.state != BREAKER_CLOSED &&
           budget_available(&u->budget, false, wall_ms) > 0;
}

struct schedule_provider upstream_schedule(struct upstream *u, int64_t wall_ms)
{
    if (u->off || u->row->generate)
        return (struct schedule_provider){.usable = !u->off, .day_left = -1, .available = -1};
    int64_t day_left = budget_window_left(&u->budget, BUDGET_DAY, false, wall_ms);
    int64_t available = budget_available(&u->budget, false, wall_ms);
    bool closed = shown(u, wall_ms) == BREAKER_CLOSED;
    return (struct schedule_provider){
        .usable = closed && day_left > 0,
        .together = u->row->table,
        .per_second = u->budget.limits[BUDGET_SECOND],
        .per_minute = u->budget.limits[BUDGET_MINUTE],
        .per_hour = u->budget.limits[BUDGET_HOUR],
        .day_left = day_left == BUDGET_UNLIMITED ? -1 : day_left,
        .day_ends_in_ms = budget_day_reset_ms(&u->budget, wall_ms) - wall_ms,
        .available = available == BUDGET_UNLIMITED ? -1 : available,
        .available_in_ms = budget_wait_ms(&u->budget, false, wall_ms),
    };
}

void upstream_clock_set(struct upstream *u, int64_t by_ms, int64_t wall_ms)
{
    budget_clock_set(&u->budget, by_ms, wall_ms);
    breaker_clock_set(&u->breaker, by_ms);
    u->budget_dirty = true;
    if (u->last_success_ms > 0)
        u->last_success_ms += by_ms;
    if (u->last_error_ms > 0)
        u->last_error_ms += by_ms;
    if (u->shown_since_ms > 0)
        u->shown_since_ms += by_ms;
    u->line_broke_ms += by_ms;
}

/* --- shared state --- */

/* Steals the document. False: no memory. */
static bool write_document(struct bus *bus, const char *key, const char *provider, json_t *doc,
                           int64_t ttl_s)
{
    char name[KEY_MAX];
    char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
    snprintf(name, sizeof name, "%s%s", key, provider);
    if (text)
        bus_shared_write(bus, name, text, strlen(text), ttl_s);
    bool written = text != NULL;
    free(text);
    json_decref(doc);
    return written;
}

/* Of a change that is noticed now. One that another process made, or this one before its restart,
 * stands in the documents; that a cool-down is over is a matter of the clock alone. */
static int64_t changed_ms(const struct upstream *u, enum breaker_state to, int64_t wall_ms)
{
    int64_t at_ms = u->reliability.suspended ? u->reliability.updated_ms : u->breaker.updated_ms;
    return to != BREAKER_CLOSED && at_ms > 0 && at_ms < wall_ms ? at_ms : wall_ms;
}

static void show_windows(struct upstream *u, struct metrics *metrics, int64_t wall_ms)
{
    const char *name = u->row->rule.name;
    for (enum budget_window w = BUDGET_MINUTE; w < BUDGET_WINDOWS; w++) {
        const char *window = budget_window_name(w);
        if (u->budget.limits[w] == 0)
            continue;
        metrics_set(metrics, METRIC_WINDOW_LIMIT, name, window, (double)u->budget.limits[w]);
        metrics_set(metrics, METRIC_WINDOW_LEFT, name, window,
                    (double)budget_window_left(&u->budget, w, true, wall_ms));
    }
}

static void announce(struct upstream *u, struct metrics *metrics, int64_t wall_ms)
{
    const char *name = u->row->rule.name;
    enum breaker_state now = shown(u, wall_ms);
    int64_t left = budget_left(&u->budget, wall_ms);
    if (now != u->shown) {
        log_event(now == BREAKER_OPEN ? LOG_WARN : LOG_INFO, "circuit_breaker_state_change",
                  "provider=%s from=%s to=%s reason=%s", name, breaker_state_name(u->shown),
                  breaker_state_name(now), now == BREAKER_CLOSED ? NULL : reason_text(u, wall_ms));
        u->shown_since_ms = changed_ms(u, now, wall_ms);
    }
    u->shown = now;
    metrics_set(metrics, METRIC_BREAKER, name, NULL, u->off ? 3 : (double)now);
    if (left >= 0 && !u->off)
        metrics_set(metrics, METRIC_CREDITS_LEFT, name, NULL, (double)left);
    metrics_set(metrics, METRIC_PROVIDER_IN_USE, name, NULL, u->in_use);
    if (!u->off)
        show_windows(u, metrics, wall_ms);
}

static bool is_known(const struct upstream *u, int document)
{
    return u->known >> document & 1;
}

static void write_reliability(struct upstream *u, struct bus *bus, int64_t wall_ms)
{
    bool news = u->reliability.changes != u->reliability_written;
    int64_t since_ms = wall_ms - u->reliability_written_ms;
    bool due = news && (since_ms >= RELIABILITY_EVERY_MS || since_ms < 0);
    if (u->reliability.changes == 0 || !is_known(u, RELIABILITY) ||
        (!due && since_ms < RELIABILITY_RENEWED_MS))
        return;
    if (!write_document(bus, RELIABILITY_KEY, u->row->rule.name,
                        reliability_save(&u->reliability, wall_ms), RELIABILITY_TTL_S))
        return;
    u->reliability_written = u->reliability.changes;
    u->reliability_written_ms = wall_ms;
}

static void write_budget(struct upstream *u, struct bus *bus, int64_t wall_ms)
{
    u->budget_written_ms = wall_ms;
    u->budget_dirty = !write_document(bus, BUDGET_KEY, u->row->rule.name,
                                      budget_save(&u->budget, wall_ms), SHARED_TTL_S);
}

void upstream_sync(struct upstream *u, struct bus *bus, struct metrics *metrics, int64_t wall_ms)
{
    const char *name = u->row->rule.name;
    announce(u, metrics, wall_ms);
    if (u->off || u->row->generate)
        return;
    if (!bus_is_up(bus))
        u->known = 0;
    if (u->breaker.updated_ms != u->breaker_written && is_known(u, BREAKER) &&
        write_document(bus, BREAKER_KEY, name, breaker_save(&u->breaker), SHARED_TTL_S))
        u->breaker_written = u->breaker.updated_ms;
    int64_t since_ms = wall_ms - u->budget_written_ms;
    if (u->budget_dirty && is_known(u, BUDGET) && (since_ms >= BUDGET_EVERY_MS || since_ms < 0))
        write_budget(u, bus, wall_ms);
    write_reliability(u, bus, wall_ms);
}

void upstream_leave(struct upstream *u, struct bus *bus, int64_t wall_ms)
{
    if (u->budget_dirty && is_known(u, BUDGET))
        write_budget(u, bus, wall_ms);
    u->reliability_written_ms = 0; /* at once */
    write_reliability(u, bus, wall_ms);
}

size_t upstream_documents(const struct upstream *u)
{
    return u->off || u->row->generate || !u->in_use ? 0 : ARRAY_LEN(keys);
}

void upstream_read(const struct upstream *u, struct bus *bus)
{
    char name[KEY_MAX];
    for (size_t i = 0; i < upstream_documents(u); i++) {
        snprintf(name, sizeof name, "%s%s", keys[i], u->row->rule.name);
        bus_shared_read(bus, name);
    }
}

/* Which of the documents; -1: none of this provider's. */
static int document_of(const struct upstream *u, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t len = strlen(keys[i]);
        if (strncmp(key, keys[i], len) == 0 && strcmp(key + len, u->row->rule.name) == 0)
            return (int)i;
    }
    return -1;
}

bool upstream_shared(struct upstream *u, const char *key, const char *bytes, size_t len,
                     int64_t wall_ms)
{
    int document = document_of(u, key);
    if (document < 0)
        return false;
    u->known |= 1U << document;
    json_t *doc = len > 0 ? jsonx_parse(bytes, len, DOCUMENT_MAX, NULL) : NULL;
    if (doc && document == BUDGET)
        budget_merge(&u->budget, doc, wall_ms);
    if (doc && document == BREAKER && breaker_merge(&u->breaker, doc, wall_ms))
        u->breaker_written = u->breaker.updated_ms;
    if (doc && document == RELIABILITY)
        reliability_merge(&u->reliability, doc, wall_ms);
    json_decref(doc);
    return true;
}

/* --- data-health --- */

static json_t *time_or_null(int64_t wall_ms)
{
    char text[CLOCK_RFC3339_MAX];
    return wall_ms > 0 ? json_string(clock_rfc3339(wall_ms, text)) : json_null();
}

static json_t *text_or_null(const char *s)
{
    return s && *s ? jsonx_text(s, strlen(s)) : json_null();
}

static json_t *share(struct reliability_score s)
{
    return s.all == 0 ? json_null() : json_real(round((double)s.good * 1e4 / (double)s.all) / 1e4);
}

static const char *state_text(const struct upstream *u, int64_t wall_ms)
{
    return u->off ? "disabled" : breaker_state_name(shown(u, wall_ms));
}

/* 0: it is off, or may be asked now, or nobody knows when. */
static int64_t retry_at_ms(const struct upstream *u, int64_t wall_ms)
{
    return u->off || u->reliability.suspended ? 0 : breaker_retry_at_ms(&u->breaker, wall_ms);
}

/* As announced: one that is tried again is not well before it has answered. */
struct trouble_provider upstream_trouble(const struct upstream *u, int64_t wall_ms)
{
    const char *reason = reason_text(u, wall_ms);
    return (struct trouble_provider){
        .shut = u->in_use && !u->off && u->shown != BREAKER_CLOSED,
        .suspended = u->reliability.suspended,
        .since_ms = u->shown_since_ms,
        .retry_ms = retry_at_ms(u, wall_ms),
        .answered_ms = u->last_success_ms,
        .reason = reason ? reason : "",
        .last_error = u->last_error.text,
    };
}

json_t *upstream_describe(struct upstream *u, int64_t wall_ms)
{
    bool suspended = u->reliability.suspended;
    struct reliability_score score = reliability_score(&u->reliability, wall_ms);
    int64_t left = budget_left(&u->budget, wall_ms);
    return json_pack(
        "{s:s,s:s,s:s,s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:b,s:b}", "provider",
        u->row->rule.name, "data", provider_data_name(u->row->data), "state",
        state_text(u, wall_ms), "state_since", time_or_null(u->off ? 0 : u->shown_since_ms),
        "failures", (json_int_t)u->breaker.failures, "failure_threshold",
        (json_int_t)u->breaker.threshold, "retry_at", time_or_null(retry_at_ms(u, wall_ms)),
        "reason", text_or_null(reason_text(u, wall_ms)), "last_error",
        text_or_null(u->last_error.text), "last_error_at", time_or_null(u->last_error_ms),
        "last_success", time_or_null(u->last_success_ms), "credits_left",
        left < 0 || u->off ? json_null() : json_integer(left), "reliability", share(score),
        "fetches_30d", (json_int_t)score.all, "suspended", (int)suspended, "in_use",
        (int)u->in_use);
}

void upstream_describe_briefly(const struct upstream *u, json_t **into, int64_t wall_ms)
{
    int64_t retry_ms = retry_at_ms(u, wall_ms);
    jsonx_set(into, "state", json_string(state_text(u, wall_ms)));
    jsonx_set(into, "retry_at", retry_ms > 0 ? json_integer(retry_ms) : json_null());
}
