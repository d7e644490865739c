/* A provider's parser: whatever a stranger replies, a named failure or a record comes out, and a
 * record that passes the checks of quality makes an item that every reader takes.
 *
 * Built once for each provider in the table (PROVIDER). The input is a reply_text.h. Each reply is
 * parsed twice into memory filled with different garbage: what the parser does not write would
 * differ. A provider without a network is asked for the price of the symbols at the time. */
#include "fuzz.h"
#include "item.h"
#include "quality.h"
#include "reply_text.h"

static const int64_t DAY_MS = 86400000;

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    return reply_text_head((const char *)data, size);
}

/* ---- what a record must be ---- */

static void encode_observation(const struct observation *o, int64_t ts_ms, int64_t now_ms,
                               struct buf *json)
{
    const struct observation_envelope e = {.name = "thing",
                                           .category = "other",
                                           .ts_ms = ts_ms,
                                           .recv_ms = now_ms,
                                           .epoch_ms = 1,
                                           .counter = 1,
                                           .source = PROVIDER,
                                           .source_symbol = "X",
                                           .state = STATE_LIVE};
    observation_encode(o, &e, json);
    CHECK(json->len > 0 && json->len <= ITEM_BYTES_MAX && fuzz_is_json(json->p, json->len));
}

static void check_observation(const struct observation *o, int64_t ts_ms, int64_t now_ms)
{
    struct buf json = {0};
    struct err err;
    CHECK(o->values_len <= OBSERVATION_VALUES_MAX && o->citations_len <= OBSERVATION_CITATIONS_MAX);
    CHECK(o->values_len > 0 || o->text[0]);
    for (size_t i = 0; i < o->values_len; i++) {
        const struct observed *v = &o->values[i];
        size_t name = strspn(v->name, "abcdefghijklmnopqrstuvwxyz0123456789_");
        CHECK(v->value.given && name > 0 && name < sizeof v->name && v->name[name] == '\0');
        CHECK(fuzz_is_utf8(v->unit, sizeof v->unit));
    }
    for (size_t i = 0; i < o->citations_len; i++)
        CHECK(fuzz_is_utf8(o->citations[i], sizeof o->citations[i]) &&
              strncmp(o->citations[i], "http", 4) == 0);
    CHECK(fuzz_is_utf8(o->region, sizeof o->region) && fuzz_is_utf8(o->series, sizeof o->series));
    CHECK(fuzz_is_utf8(o->period, sizeof o->period) && fuzz_is_utf8(o->text, sizeof o->text));
    encode_observation(o, ts_ms, now_ms, &json);
    struct item *it = item_parse(json.p, json.len, INSTRUMENT_OBSERVATION, "thing", now_ms, &err);
    CHECK(it || ts_ms > now_ms + 5000); /* of the future: refused by quality before that */
    item_unref(it);
    buf_fini(&json);
}

static bool same_observation(const struct observation *a, const struct observation *b)
{
    struct buf x = {0}, y = {0};
    encode_observation(a, 1, 1, &x);
    encode_observation(b, 1, 1, &y);
    bool same = x.len == y.len && memcmp(x.p, y.p, x.len) == 0;
    buf_fini(&x);
    buf_fini(&y);
    return same;
}

/* The record passed the checks: the item that is made of it says the same, and is taken. */
static void check_item(const struct record *r, int64_t now_ms)
{
    const struct quote q = {.symbol = "thing",
                            .currency = r->currency[0] ? r->currency : NULL,
                            .price = r->price,
                            .bid = r->bid,
                            .ask = r->ask,
                            .open = r->open,
                            .high = r->high,
                            .low = r->low,
                            .prev_close = r->prev_close,
                            .volume = r->volume,
                            .ts_ms = r->ts_ms,
                            .recv_ms = now_ms,
                            .epoch_ms = 1,
                            .counter = 1,
                            .source = PROVIDER,
                            .source_symbol = "X",
                            .derived = r->derived,
                            .delayed_s = r->delayed_s,
                            .state = STATE_LIVE,
                            .market = r->market};
    struct buf json = {0};
    struct err err;
    quote_encode(&q, &json);
    struct item *it = item_parse(json.p, json.len, INSTRUMENT_QUOTE, "thing", now_ms, &err);
    CHECK(it != NULL);
    CHECK(fuzz_same(it->price, r->price));
    CHECK(it->ts_ms == r->ts_ms && it->delayed_s == r->delayed_s && it->market == r->market);
    item_unref(it);
    buf_fini(&json);
}

static void check_quality(const struct record *record, const struct instrument *in, int64_t now_ms)
{
    struct quality_memory m = {0};
    struct record r = *record;
    struct quality_result q = quality_check(in, &m, 0, &r, now_ms);
    CHECK(q.failure < FAILURES_LEN && (q.failure == FAIL_NONE) == (q.rule == NULL));
    CHECK((q.failure == FAIL_NONE) || fuzz_is_sentence(&q.why));
    if (q.failure != FAIL_NONE)
        return;
    CHECK(decimal_positive(r.price));
    CHECK(r.ts_ms > 0 && r.ts_ms <= now_ms + 5000);
    CHECK(r.currency[0] == '\0'
              ? !in->currency
              : strspn(r.currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3 && r.currency[3] == '\0');
    check_item(&r, now_ms);
    quality_accept(&m, r.price, r.ts_ms);
    r = *record;
    CHECK(quality_check(in, &m, 0, &r, now_ms).failure == FAIL_NONE); /* the same once more */
}

static void check_record(const struct record *r, int64_t now_ms)
{
    static const struct instrument any =
                                       {
                                           .symbol = "thing", .max_jump_pct = 20
    },
                                   dollars = {.symbol = "thing",
                                              .currency = "USD",
                                              .max_jump_pct = 20,
                                              .range_min = {.coef = 1, .given = true},
                                              .range_max = {.coef = 1000, .given = true}};
    const struct decimal members[] = {r->price, r->bid, r->ask,        r->open,
                                      r->high,  r->low, r->prev_close, r->volume};
    CHECK(r->price.given || r->observation);
    CHECK(r->ts_ms > 0);
    CHECK(memchr(r->currency, '\0', sizeof r->currency));
    CHECK(r->market >= MARKET_UNKNOWN && r->market <= MARKET_POST);
    CHECK(r->delayed_s >= 0 && r->delayed_s <= DAY_MS / 1000);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        CHECK(!members[i].given ||
              (members[i].scale >= 0 && members[i].scale <= DECIMAL_SCALE_MAX));
        CHECK(i == 0 || !members[i].given || members[i].coef > 0);
    }
    if (r->observation)
        check_observation(r->observation, r->ts_ms, now_ms);
    if (!r->price.given)
        return;
    check_quality(r, &any, now_ms);
    check_quality(r, &dollars, now_ms);
}

/* ---- what a parser says ---- */

static void check_answer(const struct answer *a, int64_t now_ms)
{
    CHECK(a->failure < FAILURES_LEN);
    if (a->failure == FAIL_NONE) {
        check_record(&a->record, now_ms);
        return;
    }
    CHECK(a->detail[0] && fuzz_is_printable(a->detail, sizeof a->detail));
    CHECK(!strstr(a->detail, "://"));
}

static void check_verdict(const struct verdict *v, const struct reply_text *t)
{
    CHECK(v->failure == FAIL_NONE || failure_counts(v->failure));
    CHECK(v->cooldown_ms >= -1 && v->cooldown_ms <= 31 * DAY_MS);
    CHECK(v->credits_left >= -1);
    CHECK(v->credits_left == -1 || v->credits_left == t->reply.credits_left);
}

static void check_same(const struct answer *a, const struct answer *b)
{
    const struct record *x = &a->record, *y = &b->record;
    CHECK(a->failure == b->failure);
    if (a->failure != FAIL_NONE) {
        CHECK(strcmp(a->detail, b->detail) == 0);
        return;
    }
    CHECK(fuzz_same(x->price, y->price) && fuzz_same(x->bid, y->bid) && fuzz_same(x->ask, y->ask));
    CHECK(fuzz_same(x->open, y->open) && fuzz_same(x->high, y->high) && fuzz_same(x->low, y->low));
    CHECK(fuzz_same(x->prev_close, y->prev_close) && fuzz_same(x->volume, y->volume));
    CHECK(strcmp(x->currency, y->currency) == 0 && x->ts_ms == y->ts_ms);
    CHECK(x->delayed_s == y->delayed_s && x->market == y->market && x->derived == y->derived);
    CHECK(!x->observation == !y->observation);
    if (x->observation)
        CHECK(same_observation(x->observation, y->observation));
}

/* Parses into memory that holds this byte everywhere. */
static void parse_into(const struct provider *p, const struct reply_text *t, int garbage,
                       struct answer *answers, struct verdict *v)
{
    memset(answers, garbage, t->symbols_len * sizeof *answers);
    memset(v, garbage, sizeof *v);
    for (size_t i = 0; i < t->symbols_len; i++)
        answers[i].record.observation = NULL; /* the one member that is to be free()d */
    p->parse(&t->reply, t->symbols, t->symbols_len, t->now_ms, answers, v);
}

static void try_parse(const struct provider *p, const struct reply_text *t)
{
    size_t n = t->symbols_len;
    struct answer *a = calloc(n, sizeof *a), *b = calloc(n, sizeof *b);
    struct verdict va, vb;
    REQUIRE(a && b);
    parse_into(p, t, 0xa5, a, &va);
    parse_into(p, t, 0x5a, b, &vb);
    for (size_t i = 0; i < n; i++) {
        check_same(&a[i], &b[i]);
        check_answer(&a[i], t->now_ms);
    }
    check_verdict(&va, t);
    CHECK(va.failure == vb.failure && va.cooldown_ms == vb.cooldown_ms);
    answers_fini(a, n);
    answers_fini(b, n);
    free(a);
    free(b);
}

static void try_generate(const struct provider *p, const struct reply_text *t)
{
    for (size_t i = 0; i < t->symbols_len; i++) {
        struct answer a = {0}, b = {0};
        p->generate(t->symbols[i], t->now_ms, &a);
        p->generate(t->symbols[i], t->now_ms, &b);
        check_same(&a, &b);
        check_answer(&a, t->now_ms);
        CHECK(a.failure != FAIL_NONE || a.record.ts_ms <= t->now_ms);
        answers_fini(&a, 1);
        answers_fini(&b, 1);
    }
}

/* What a parser may rely on: the configuration lets no other symbols in, and not more are asked
 * for at once. The others are left out. */
static void keep_askable(const struct provider *p, struct reply_text *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->symbols_len && n < p->batch_max; i++)
        if (!p->rule.symbol_problem(t->symbols[i]))
            t->symbols[n++] = t->symbols[i];
    t->symbols_len = n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct provider *p = provider_find(PROVIDER);
    struct reply_text t;
    if (!reply_text_read((const char *)data, size, &t))
        return 0;
    keep_askable(p, &t);
    if (t.symbols_len == 0)
        ; /* nobody asks */
    else if (p->parse)
        try_parse(p, &t);
    else
        try_generate(p, &t);
    reply_text_fini(&t);
    return 0;
}
