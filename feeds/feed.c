/* Suspension. "No such symbol" is not the provider's fault, so the breaker does not see it; yet
 * asking again at each poll would cost a credit each time. The source is left alone for one poll,
 * then two, four, up to a quarter of an hour; one good answer ends it.
 *
 * Log. A feed that works is silent (debug), one that changes speaks: the first success, a change of
 * the answering source, a source's new failure, the first walk that brings nothing. A failure that
 * repeats, or two that alternate, may not fill the disk: each source speaks at most once in ten
 * seconds, and a failed chain at most once a minute. */
#include "feed.h"

#include <string.h>

#include "clock.h"

static const int64_t SUSPENDED_MAX_MS = 900000;
static const int64_t SOURCE_LOG_EVERY_MS = 10000;
static const int64_t CHAIN_LOG_EVERY_MS = 60000;
static const int64_t REJECTED_LOG_EVERY_MS = 1000;

int feed_init(struct feed *d, int id, const struct instrument *in, int64_t wall_ms)
{
    *d = (struct feed){.id = id, .in = in, .answering = -1};
    watch_init(&d->watch, in, wall_ms);
    d->sources = calloc(in->sources_len + 1, sizeof *d->sources);
    d->chain = calloc(in->sources_len + 1, sizeof *d->chain);
    if (!d->sources || !d->chain || provenance_init(&d->provenance, in->sources_len) != 0)
        return -1;
    for (size_t i = 0; i < in->sources_len; i++)
        d->chain[i] = in->sources[i].provider_id;
    return 0;
}

void feed_fini(struct feed *d)
{
    publication_fini(&d->publication);
    provenance_fini(&d->provenance);
    free(d->sources);
    free(d->chain);
}

/* The configuration that the name lies in goes away; the table of providers stays. */
static const char *lasting_name(const char *provider)
{
    const struct provider *row = provider ? provider_find(provider) : NULL;
    return row ? row->rule.name : NULL;
}

static bool same_currency(const struct feed *a, const struct feed *b)
{
    const char *x = a->in->currency, *y = b->in->currency;
    return x && y ? strcmp(x, y) == 0 : x == y;
}

void feed_take_over(struct feed *d, struct feed *from, bool same_sources)
{
    const struct market_clock *clock = d->market.clock;
    d->publication = from->publication;
    from->publication = (struct publication){0};
    d->watch = from->watch;
    d->watch.in = d->in;
    d->watch.tried = lasting_name(from->watch.tried);
    d->market = from->market;
    d->market.clock = clock;
    d->last = from->last;
    d->last.provider = lasting_name(from->last.provider);
    d->failing_ms = from->failing_ms;
    d->failed_ms = from->failed_ms;
    d->refreshed_ms = from->refreshed_ms;
    d->all_failed = from->all_failed;
    if (same_currency(d, from))
        d->quality = from->quality;
    if (!same_sources) {
        d->quality.doubted = (struct decimal){0};
        return;
    }
    memcpy(d->sources, from->sources, d->in->sources_len * sizeof *d->sources);
    provenance_copy(&d->provenance, &from->provenance);
    d->answering = from->answering;
    d->suspect = from->suspect;
}

enum failure feed_suspended(const struct feed *d, size_t pos, int64_t mono_ms, struct err *why)
{
    int64_t left_ms = d->sources[pos].suspended_until_ms - mono_ms;
    if (left_ms <= 0)
        return FAIL_NONE;
    err_set(why, "the provider does not know the symbol; asked again in %ld s",
            (long)(left_ms / 1000 + 1));
    return FAIL_NOT_FOUND;
}

uint64_t feed_left_alone(const struct feed *d, int64_t mono_ms)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < d->in->sources_len && i < 64; i++)
        bits |= d->sources[i].suspended_until_ms > mono_ms ? UINT64_C(1) << i : 0;
    return bits;
}

void feed_unsuspend(struct feed *d, int provider)
{
    for (size_t i = 0; i < d->in->sources_len; i++)
        if (d->chain[i] == provider)
            d->sources[i].suspended_until_ms = d->sources[i].suspended_for_ms = 0;
}

static void note_not_found(struct feed_source *s, int64_t interval_ms, int64_t mono_ms)
{
    int64_t next = s->suspended_for_ms > 0 ? 2 * s->suspended_for_ms : interval_ms;
    s->suspended_for_ms = next < SUSPENDED_MAX_MS ? next : SUSPENDED_MAX_MS;
    /* Half an interval more: the poll at the very end of it is the one to be left out. */
    s->suspended_until_ms = mono_ms + s->suspended_for_ms + interval_ms / 2;
}

/* The category without its final s: "coffee_prices" -> "coffee_price_fetch_failed". */
static const char *event_name(const struct instrument *in, const char *what, char out[static 96])
{
    size_t len = strlen(in->category);
    if (len > 0 && in->category[len - 1] == 's')
        len--;
    snprintf(out, 96, "%.*s%s", (int)(len < 64 ? len : 64), in->category, what);
    return out;
}

static void log_step(struct feed *d, const struct chain_step *step, int64_t mono_ms)
{
    struct feed_source *s = &d->sources[step->pos];
    const struct config_source *source = &d->in->sources[step->pos];
    char event[96];
    enum log_level level = LOG_DEBUG;
    if (step->failure != s->logged && mono_ms >= s->log_again_ms) {
        level = step->asked ? LOG_WARN : LOG_INFO; /* a skip follows from what was said before */
        s->logged = step->failure;
        s->log_again_ms = mono_ms + SOURCE_LOG_EVERY_MS;
    }
    log_event(level, event_name(d->in, "_fetch_failed", event),
              "symbol=%s source=%s source_symbol=%s error=%s message=%s", d->in->symbol,
              source->provider, source->symbol, failure_name(step->failure), step->detail);
}

static void log_success(struct feed *d, size_t pos)
{
    const struct config_source *source = &d->in->sources[pos];
    bool news = d->answering != (int)pos || d->all_failed != FAIL_NONE;
    char event[96];
    log_event(news ? LOG_INFO : LOG_DEBUG, event_name(d->in, "_fetch_success", event),
              "symbol=%s source=%s source_symbol=%s fallback?=%d", d->in->symbol, source->provider,
              source->symbol, pos > 0);
    d->answering = (int)pos;
    d->all_failed = FAIL_NONE;
    d->sources[pos].logged = FAIL_NONE;
}

static void log_all_failed(struct feed *d, int64_t mono_ms)
{
    unsigned suppressed;
    char event[96];
    if (d->last.failure == d->all_failed ||
        !log_limit_pass(&d->all_failed_limit, mono_ms, CHAIN_LOG_EVERY_MS, &suppressed))
        return;
    d->all_failed = d->last.failure;
    log_event(d->quality.held ? LOG_WARN : LOG_ERROR,
              event_name(d->in, "_all_sources_failed", event),
              "symbol=%s error=%s source=%s message=%s held?=%d suppressed=%u", d->in->symbol,
              failure_name(d->last.failure), d->last.provider, d->last.detail, d->quality.held,
              suppressed);
}

static void note_step(struct feed *d, const struct chain_step *step, int64_t interval_ms,
                      int64_t mono_ms)
{
    struct feed_source *s = &d->sources[step->pos];
    provenance_note(&d->provenance, step);
    if (step->asked && step->failure == FAIL_NOT_FOUND)
        note_not_found(s, interval_ms, mono_ms);
    else if (step->asked && step->failure == FAIL_NONE)
        s->suspended_until_ms = s->suspended_for_ms = 0;
}

/* A late source works, and one that is not asked to spare credits is not known to fail. */
static void note_failing(struct feed *d, int64_t mono_ms)
{
    enum failure f = d->last.failure;
    if (f == FAIL_NONE || f == FAIL_OLDER) {
        d->failing_ms = d->failed_ms = 0;
    } else if (f != FAIL_BUDGET) {
        d->failed_ms = mono_ms;
        if (d->failing_ms == 0)
            d->failing_ms = mono_ms;
    }
}

void feed_walked(struct feed *d, const struct chain_end *end, int64_t interval_ms, int64_t mono_ms)
{
    for (size_t i = 0; i < end->n; i++)
        note_step(d, &end->steps[i], interval_ms, mono_ms);
    const struct chain_step *why =
        end->accepted ? &end->steps[end->n - 1] : chain_reason(end->steps, end->n);

    d->last = (struct feed_outcome){.failure = FAIL_DISABLED, .detail = "no source to ask"};
    if (why) {
        d->last.failure = why->failure;
        d->last.provider = d->in->sources[why->pos].provider;
        memcpy(d->last.detail, why->detail, sizeof d->last.detail);
    }
    note_failing(d, mono_ms);
    watch_walked(&d->watch, d->last.failure, d->last.provider);
}

static void log_failures(struct feed *d, const struct chain_end *end, int64_t mono_ms)
{
    for (size_t i = 0; i < end->n; i++)
        if (end->steps[i].failure != FAIL_NONE)
            log_step(d, &end->steps[i], mono_ms);
}

void feed_probed(struct feed *d, const struct chain_end *end, int64_t interval_ms, int64_t mono_ms)
{
    for (size_t i = 0; i < end->n; i++)
        note_step(d, &end->steps[i], interval_ms, mono_ms);
    log_failures(d, end, mono_ms);
}

void feed_log_walk(struct feed *d, const struct chain_end *end, int64_t mono_ms)
{
    log_failures(d, end, mono_ms);
    if (end->accepted)
        log_success(d, end->steps[end->n - 1].pos);
    else
        log_all_failed(d, mono_ms);
}

static struct decimal figure_of(const struct instrument *in, const struct record *rec)
{
    if (in->kind == INSTRUMENT_QUOTE)
        return rec->price;
    const struct observed *v = rec->observation ? observation_only(rec->observation) : NULL;
    return v ? v->value : (struct decimal){0};
}

void feed_note_quality(struct feed *d, size_t pos, const struct record *rec,
                       const struct quality_result *q, int64_t wall_ms)
{
    struct feed_suspect *s = &d->suspect;
    if (q->failure == FAIL_OLDER)
        return;
    if (q->failure == FAIL_NONE) {
        if (s->rule && s->pos == pos)
            s->rule = NULL;
        return;
    }
    if (!s->rule || s->pos != pos || strcmp(s->rule, q->rule) != 0)
        s->since_ms = wall_ms;
    s->rule = q->rule;
    s->pos = pos;
    s->figure = figure_of(d->in, rec);
    s->why = q->why;
}

json_t *feed_describe_suspect(const struct feed *d)
{
    const struct feed_suspect *s = &d->suspect;
    char since[CLOCK_RFC3339_MAX], figure[DECIMAL_TEXT_MAX];
    if (!s->rule)
        return NULL;
    if (s->figure.given)
        decimal_format(s->figure, figure);
    return json_pack("{s:s?, s:s, s:s, s:s, s:s}",
                     d->in->kind == INSTRUMENT_QUOTE ? "price" : "value",
                     s->figure.given ? figure : NULL, "rule", s->rule, "why", s->why.text, "source",
                     d->in->sources[s->pos].provider, "since",
                     clock_rfc3339(s->since_ms > 0 ? s->since_ms : 0, since));
}

void feed_clock_set(struct feed *d, int64_t by_ms, int64_t wall_ms)
{
    watch_clock_set(&d->watch, by_ms, wall_ms);
    quality_clock_set(&d->quality, wall_ms);
    market_clock_set(&d->market, by_ms);
    d->suspect.since_ms += by_ms;
}

void feed_log_rejected(struct feed *d, size_t pos, const struct record *rec,
                       const struct quality_result *q, int64_t mono_ms)
{
    char figure[DECIMAL_TEXT_MAX] = "";
    const struct decimal x = figure_of(d->in, rec);
    unsigned suppressed;
    if (!log_limit_pass(&d->quality_limit, mono_ms, REJECTED_LOG_EVERY_MS, &suppressed))
        return;
    if (x.given)
        decimal_format(x, figure);
    /* An older price is no bad price: the source is late, the held one stays. */
    log_event(q->failure == FAIL_OLDER ? LOG_DEBUG : LOG_WARN, "quality_rejected",
              d->in->kind == INSTRUMENT_QUOTE
                  ? "symbol=%s source=%s source_symbol=%s rule=%s price=%s why=%s suppressed=%u"
                  : "symbol=%s source=%s source_symbol=%s rule=%s value=%s why=%s suppressed=%u",
              d->in->symbol, d->in->sources[pos].provider, d->in->sources[pos].symbol, q->rule,
              figure, q->why.text, suppressed);
}
