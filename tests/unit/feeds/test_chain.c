/* The walk with a host made of tables: what each provider grants and answers stands in `struct
 * desk`, what happened is written down as text and compared. */
#include "chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { A, B, C, PROVIDERS };

struct desk {
    struct chain_host host;
    struct config config;
    struct instrument instruments[4];
    struct config_source sources[4][3];
    /* script */
    size_t grant[PROVIDERS];      /* symbols that may still be asked for */
    enum failure deny[PROVIDERS]; /* when grant is used up */
    size_t batch[PROVIDERS];
    enum failure answer[PROVIDERS]; /* for all its symbols */
    enum failure unknown[4];        /* FAIL_NOT_FOUND: instrument i is not known to A */
    enum failure refuse[4];         /* what quality says to instrument i of A */
    enum failure skip[4];           /* instrument i, source 0 */
    bool transport, later;
    int64_t now_ms;
    int64_t takes_ms; /* each request, to be sent */
    struct walk *paused;
    bool reserve_seen;
    /* record */
    struct chain_request *open[8];
    size_t open_len;
    char log[2048];
    int done;
};

static void PRINTF_LIKE(2, 3) say(struct desk *d, const char *fmt, ...)
{
    size_t len = strlen(d->log);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d->log + len, sizeof d->log - len, fmt, ap);
    va_end(ap);
}

static int64_t now_ms(void *ctx)
{
    return ((struct desk *)ctx)->now_ms;
}

static size_t batch_max(void *ctx, int provider)
{
    return ((struct desk *)ctx)->batch[provider];
}

static enum failure skip_source(void *ctx, const struct walk *w, struct chain_want want,
                                struct err *why)
{
    (void)w;
    struct desk *d = ctx;
    err_set(why, "skipped");
    return want.pos == 0 ? d->skip[want.id] : FAIL_NONE;
}

static size_t admit(void *ctx, int provider, size_t n, bool reserve, enum failure *f,
                    struct err *why)
{
    struct desk *d = ctx;
    size_t granted = n < d->grant[provider] ? n : d->grant[provider];
    d->reserve_seen |= reserve;
    d->grant[provider] -= granted;
    *f = d->deny[provider];
    err_set(why, "denied");
    return granted;
}

static void reply(struct desk *d, struct chain_request *r)
{
    struct answer answers[8] = {{0}};
    enum failure f = d->answer[r->provider];
    if (d->transport && f != FAIL_NONE) {
        chain_failed(r, f, "no answer", true);
        return;
    }
    for (size_t i = 0; i < r->n; i++) {
        answers[i].failure = f;
        if (r->provider == A && d->unknown[r->wants[i].id])
            answers[i].failure = d->unknown[r->wants[i].id];
        snprintf(answers[i].detail, sizeof answers[i].detail, "said so");
    }
    chain_answered(r, answers);
}

static void ask(void *ctx, struct chain_request *r)
{
    struct desk *d = ctx;
    say(d, "%c(", "ABC"[r->provider]);
    for (size_t i = 0; i < r->n; i++)
        say(d, "%s%s", i ? "," : "", r->symbols[i]);
    say(d, ") ");
    d->now_ms += d->takes_ms;
    if (d->later)
        d->open[d->open_len++] = r;
    else
        reply(d, r);
}

static enum failure offer(void *ctx, struct chain_want want, const struct record *record,
                          struct err *why)
{
    struct desk *d = ctx;
    (void)record;
    err_set(why, "refused");
    return want.pos == 0 ? d->refuse[want.id] : FAIL_NONE;
}

static void ended(void *ctx, const struct walk *w, const struct chain_end *end)
{
    struct desk *d = ctx;
    (void)w;
    say(d, "%d%s[", end->id, end->accepted ? "+" : "-");
    for (size_t i = 0; i < end->n; i++)
        say(d, "%s%zu:%s%s", i ? " " : "", end->steps[i].pos, failure_name(end->steps[i].failure),
            end->steps[i].asked ? "" : "*");
    say(d, "] ");
}

static void later(void *ctx)
{
    say(ctx, "| ");
}

static void done(void *ctx, struct walk *w)
{
    struct desk *d = ctx;
    d->done++;
    say(d, "done %zu/%zu", walk_accepted(w), walk_size(w));
}

/* Instruments 0..3 with sources A, B, C; symbols a0, b0 ... */
static struct desk *desk_new(size_t sources)
{
    static const char *const names[] = {"a", "b", "c"};
    static const char *const symbols[4][3] = {
        {"a0", "b0", "c0"},
        {"a1", "b1", "c1"},
        {"a2", "b2", "c2"},
        {"a3", "b3", "c3"}
    };
    struct desk *d = calloc(1, sizeof *d);
    assert_non_null(d);
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 3; k++)
            d->sources[i][k] = (struct config_source){names[k], k, symbols[i][k]};
        d->instruments[i].sources = d->sources[i];
        d->instruments[i].sources_len = sources;
    }
    for (int k = 0; k < PROVIDERS; k++) {
        d->grant[k] = 1000;
        d->batch[k] = 8;
    }
    d->config.instruments = d->instruments;
    d->config.instruments_len = 4;
    d->host = (struct chain_host){.ctx = d,
                                  .config = &d->config,
                                  .now_ms = now_ms,
                                  .batch_max = batch_max,
                                  .skip = skip_source,
                                  .admit = admit,
                                  .ask = ask,
                                  .offer = offer,
                                  .ended = ended,
                                  .done = done};
    return d;
}

static void walk(struct desk *d, size_t n, enum walk_kind kind, int only)
{
    static const int ids[] = {0, 1, 2, 3};
    const struct walk_options options = {.kind = kind, .only_provider = only};
    assert_int_equal(chain_start(&d->host, ids, n, &options), 0);
}

static void expect(struct desk *d, const char *log)
{
    assert_string_equal(d->log, log);
    free(d);
}

static void test_one_batch(void **state)
{
    struct desk *d = desk_new(2);
    (void)state;
    walk(d, 3, WALK_POLL, -1);
    assert_false(d->reserve_seen);
    expect(d, "A(a0,a1,a2) 0+[0:ok] 1+[0:ok] 2+[0:ok] done 3/3");
}

static void test_refresh_may_use_the_reserve(void **state)
{
    struct desk *d = desk_new(1);
    (void)state;
    walk(d, 1, WALK_REFRESH, -1);
    assert_true(d->reserve_seen);
    free(d);
}

static void test_batch_size(void **state)
{
    struct desk *d = desk_new(1);
    (void)state;
    d->batch[A] = 3;
    walk(d, 4, WALK_POLL, -1);
    expect(d, "A(a0,a1,a2) 0+[0:ok] 1+[0:ok] 2+[0:ok] A(a3) 3+[0:ok] done 4/4");
}

/* The whole provider fails: all go on to the next source in the same walk. */
static void test_falls_through(void **state)
{
    struct desk *d = desk_new(2);
    (void)state;
    d->answer[A] = FAIL_RATE_LIMITED;
    d->batch[B] = 1;
    walk(d, 2, WALK_POLL, -1);
    expect(d, "A(a0,a1) B(b0) 0+[0:rate_limited 1:ok] B(b1) 1+[0:rate_limited 1:ok] done 2/2");
}

static void test_one_symbol_fails(void **state)
{
    struct desk *d = desk_new(2);
    (void)state;
    d->unknown[1] = FAIL_NOT_FOUND;
    d->refuse[2] = FAIL_BAD_SCHEMA;
    walk(d, 3, WALK_POLL, -1);
    expect(d, "A(a0,a1,a2) 0+[0:ok] B(b1,b2) 1+[0:not_found 1:ok] 2+[0:bad_schema 1:ok] done 3/3");
}

static void test_budget_for_a_part(void **state)
{
    struct desk *d = desk_new(2);
    (void)state;
    d->grant[A] = 2;
    d->deny[A] = FAIL_BUDGET;
    walk(d, 4, WALK_POLL, -1);
    expect(d, "A(a0,a1) 0+[0:ok] 1+[0:ok] B(b2,b3) 2+[0:budget* 1:ok] 3+[0:budget* 1:ok] done 4/4");
}

static void test_skips_have_names(void **state)
{
    struct desk *d = desk_new(3);
    (void)state;
    d->skip[0] = FAIL_NOT_FOUND;
    d->grant[A] = d->grant[B] = 0;
    d->deny[A] = FAIL_DISABLED;
    d->deny[B] = FAIL_BREAKER_OPEN;
    walk(d, 2, WALK_POLL, -1);
    expect(d, "C(c0,c1) 0+[0:not_found* 1:breaker_open* 2:ok] 1+[0:disabled* 1:breaker_open* 2:ok] "
              "done 2/2");
}

static void test_nothing_left(void **state)
{
    struct desk *d = desk_new(2);
    (void)state;
    d->answer[A] = FAIL_NO_DATA;
    d->grant[B] = 0;
    d->deny[B] = FAIL_BREAKER_OPEN;
    walk(d, 1, WALK_POLL, -1);
    expect(d, "A(a0) 0-[0:no_data 1:breaker_open*] done 0/1");
}

/* One retry, of the last that was asked, for transport errors only. */
static void test_retry(void **state)
{
    struct desk *d = desk_new(2);
    (void)state;
    d->answer[A] = FAIL_TIMEOUT;
    d->answer[B] = FAIL_CONNECT;
    d->transport = true;
    walk(d, 1, WALK_POLL, -1);
    expect(d, "A(a0) B(b0) B(b0) 0-[0:timeout 1:connect 1:connect] done 0/1");

    d = desk_new(2);
    d->answer[A] = FAIL_TIMEOUT;
    d->transport = true;
    d->grant[B] = 0;
    d->deny[B] = FAIL_DISABLED;
    walk(d, 1, WALK_POLL, -1);
    expect(d, "A(a0) A(a0) 0-[0:timeout 1:disabled* 0:timeout] done 0/1");

    d = desk_new(1); /* an answer, if a bad one: no retry */
    d->answer[A] = FAIL_UPSTREAM_ERROR;
    walk(d, 1, WALK_POLL, -1);
    expect(d, "A(a0) 0-[0:upstream_error] done 0/1");

    d = desk_new(1); /* the retry is admitted like everything */
    d->answer[A] = FAIL_TIMEOUT;
    d->transport = true;
    d->grant[A] = 1;
    d->deny[A] = FAIL_BREAKER_OPEN;
    walk(d, 1, WALK_POLL, -1);
    expect(d, "A(a0) 0-[0:timeout 0:breaker_open*] done 0/1");
}

static void test_only_one_provider(void **state)
{
    struct desk *d = desk_new(3);
    (void)state;
    walk(d, 1, WALK_ONCE, B);
    expect(d, "B(b0) 0+[1:ok] done 1/1");
    d = desk_new(1);
    walk(d, 1, WALK_ONCE, C);
    expect(d, "0-[] done 0/1");
}

/* Answers come later and in any order; a walk that took too long asks nothing more. */
static void test_later(void **state)
{
    struct desk *d = desk_new(2);
    (void)state;
    d->later = true;
    d->batch[A] = 1;
    walk(d, 2, WALK_POLL, -1);
    assert_string_equal(d->log, "A(a0) A(a1) ");
    reply(d, d->open[1]);
    assert_int_equal(d->done, 0);
    d->answer[A] = FAIL_BLOCKED;
    d->now_ms = 18001;
    reply(d, d->open[0]);
    assert_int_equal(d->done, 1);
    expect(d, "A(a0) A(a1) 1+[0:ok] 0-[0:blocked] done 1/2");
}

static void test_drop(void **state)
{
    struct desk *d = desk_new(2);
    (void)state;
    d->later = true;
    d->batch[A] = 1;
    walk(d, 2, WALK_POLL, -1);
    chain_drop(d->open[0]);
    chain_drop(d->open[1]); /* the walk is freed: LeakSanitizer looks */
    expect(d, "A(a0) A(a1) ");
}

static void test_reason(void **state)
{
    const struct chain_step steps[] = {
        {.pos = 0,       .failure = FAIL_OLDER, .asked = true},
        {.pos = 1,              .failure = FAIL_TIMEOUT,                            .asked = true},
        {.pos = 2, .failure = FAIL_DISABLED},
    };
    (void)state;
    assert_null(chain_reason(steps, 0));
    assert_int_equal(chain_reason(steps, 3)->failure, FAIL_OLDER);
    assert_int_equal(chain_reason(steps + 1, 2)->failure, FAIL_TIMEOUT);
    assert_int_equal(chain_reason(steps + 2, 1)->failure, FAIL_DISABLED);
    const struct chain_step benchmark_left_out[] = {
        {.pos = 0, .failure = FAIL_BREAKER_OPEN},
        {.pos = 1, .failure = FAIL_OLDER       },
    };
    assert_int_equal(chain_reason(benchmark_left_out, 2)->failure, FAIL_BREAKER_OPEN);
    assert_int_equal(chain_reason(benchmark_left_out + 1, 1)->failure, FAIL_OLDER);
    const struct chain_step skips[] = {
        {.pos = 0, .failure = FAIL_BREAKER_OPEN},
        {.pos = 1, .failure = FAIL_BUDGET      },
        {.pos = 2, .failure = FAIL_DISABLED    },
    };
    assert_int_equal(chain_reason(skips, 3)->failure, FAIL_BUDGET);
    assert_int_equal(chain_reason(skips, 1)->failure, FAIL_BREAKER_OPEN);
}

/* Sending took long enough: the rest goes in later turns; what is answered meanwhile waits, too. */
static void test_pauses(void **state)
{
    struct desk *d = desk_new(2);
    (void)state;
    d->host.later = later;
    d->host.paused = &d->paused;
    d->batch[A] = d->batch[B] = 1;
    d->takes_ms = 1;
    d->unknown[1] = FAIL_NOT_FOUND;
    walk(d, 4, WALK_POLL, -1);
    assert_string_equal(d->log, "A(a0) 0+[0:ok] A(a1) | ");
    assert_non_null(d->paused);
    chain_continue_all(&d->paused);
    assert_non_null(d->paused);
    chain_continue_all(&d->paused);
    assert_null(d->paused);
    chain_continue_all(&d->paused); /* nobody waits */
    expect(d, "A(a0) 0+[0:ok] A(a1) | A(a2) 2+[0:ok] A(a3) 3+[0:ok] | "
              "B(b1) 1+[0:not_found 1:ok] done 4/4");
}

/* Answers that come while it waits are taken; two walks wait in their order. */
static void test_answers_while_paused(void **state)
{
    struct desk *d = desk_new(1);
    (void)state;
    d->host.later = later;
    d->host.paused = &d->paused;
    d->later = true;
    d->batch[A] = 1;
    d->takes_ms = 2;
    walk(d, 2, WALK_POLL, -1);
    walk(d, 3, WALK_REFRESH, -1);
    assert_string_equal(d->log, "A(a0) | A(a0) | ");
    d->takes_ms = 0;
    reply(d, d->open[0]);
    assert_string_equal(d->log, "A(a0) | A(a0) | 0+[0:ok] ");
    chain_continue_all(&d->paused);
    assert_null(d->paused);
    for (size_t i = 1; i < d->open_len; i++)
        reply(d, d->open[i]);
    assert_int_equal(d->done, 2);
    expect(d, "A(a0) | A(a0) | 0+[0:ok] A(a1) A(a1) A(a2) 0+[0:ok] 1+[0:ok] done 2/2"
              "1+[0:ok] 2+[0:ok] done 3/3");
}

static void test_drop_while_paused(void **state)
{
    struct desk *d = desk_new(1);
    (void)state;
    d->host.later = later;
    d->host.paused = &d->paused;
    d->later = true;
    d->batch[A] = 1;
    d->takes_ms = 2;
    walk(d, 3, WALK_POLL, -1);
    walk(d, 2, WALK_POLL, -1);
    chain_drop(d->open[0]);
    chain_drop(d->open[1]);
    chain_drop_paused(&d->paused); /* a leak or a second free would be the sanitizer's to say */
    assert_null(d->paused);
    assert_int_equal(d->done, 0);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_batch),
        cmocka_unit_test(test_refresh_may_use_the_reserve),
        cmocka_unit_test(test_batch_size),
        cmocka_unit_test(test_falls_through),
        cmocka_unit_test(test_one_symbol_fails),
        cmocka_unit_test(test_budget_for_a_part),
        cmocka_unit_test(test_skips_have_names),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_only_one_provider),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_answers_while_paused),
        cmocka_unit_test(test_drop_while_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
