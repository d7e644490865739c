/* The dashboard of the terminal, out of documents: what it says, and what it makes of those that
 * say less, more or other things than today's gateway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "status_view.h"

static json_t *parse(const char *text)
{
    json_error_t why;
    json_t *root = text ? json_loads(text, 0, &why) : NULL;
    if (text && !root)
        fail_msg("%s: %s", why.text, text);
    return root;
}

struct texts {
    const char *status, *sources, *jobs, *quotes, *observations, *ready;
};

/* What is shown; the caller frees. */
static char *view_of(const struct texts *t, const struct table_style *style)
{
    struct buf out = {0};
    struct status_docs docs = {
        .status = parse(t->status),
        .sources = parse(t->sources),
        .ready = parse(t->ready),
        .jobs = parse(t->jobs),
        .quotes = parse(t->quotes),
        .observations = parse(t->observations),
        .quotes_text = t->quotes ? strdup(t->quotes) : NULL,
        .observations_text = t->observations ? strdup(t->observations) : NULL,
    };
    status_view(&docs, "http://gate", style, &out);
    status_docs_fini(&docs);
    assert_false(out.failed);
    return buf_take(&out, NULL);
}

static void expect(const struct texts *t, const char *text)
{
    char *got = view_of(t, &(struct table_style){0});
    assert_string_equal(got, text);
    free(got);
}

static const struct texts whole = {
    .status =
        "{\"timestamp\":\"2026-01-01T12:00:00.000Z\",\"overall_status\":\"degraded\","
        "\"categories\":{"
        "\"coffee_prices\":{\"coffee\":{\"last_updated\":\"2026-01-01T11:59:48.000Z\","
        "\"age_hours\":0.0033,\"stale\":false,\"status\":\"fresh\",\"next_run\":\"2026-01-01T12:00:"
        "03Z\"},"
        "\"tea\":{\"last_updated\":\"2026-01-01T11:30:00Z\",\"status\":\"stale\",\"suspect\":{"
        "\"price\":\"294.3\",\"rule\":\"factor_100\",\"why\":\"294.3 against 2.943 held\","
        "\"source\":\"yahoo\",\"since\":\"2026-01-01T11:58:00Z\"}}},"
        "\"weather\":{\"minas\":{\"last_updated\":null,\"age_hours\":null,\"status\":\"missing\","
        "\"suspect\":{\"value\":\"214\",\"rule\":\"range\",\"why\":\"214 is outside the range\","
        "\"source\":\"openmeteo\",\"since\":\"2026-01-01T11:59:00Z\"}}}}}",
    .quotes = "{\"data\":[{\"symbol\":\"coffee\",\"price\":2.9430,\"currency\":\"USD\",\"unit\":"
              "\"USD/lb\","
              "\"source\":\"yahoo\",\"fallback\":true,\"state\":\"live\"},"
              "{\"symbol\":\"tea\",\"price\":2.943,\"currency\":\"USD\",\"source\":\"sim\","
              "\"state\":\"stale\"}]}",
    .observations = "{\"data\":[{\"symbol\":\"minas\",\"value\":null,\"state\":\"unavailable\"}]}",
    .sources =
        "{\"sources\":{\"finnhub\":{\"state\":\"disabled\",\"failures\":0,\"reason\":\"no "
        "api_key\"},"
        "\"yahoo\":{\"state\":\"open\",\"failures\":3,\"retry_at\":\"2026-01-01T12:04:00Z\","
        "\"reason\":\"rate_limited\","
        "\"last_error\":\"blocked\",\"last_success\":\"2026-01-01T11:00:00Z\",\"credits_left\":27,"
        "\"reliability\":0.875,\"suspended\":false},"
        "\"zeta\":{\"state\":\"open\",\"suspended\":true,\"reliability\":1,\"failures\":5}}}",
    .jobs = "{\"jobs\":[{\"job\":\"market\",\"status\":\"partial\",\"started\":\"2026-01-01T11:50:"
            "00Z\","
            "\"duration_ms\":2100,\"updated\":5,\"unchanged\":1,\"failed\":2},"
            "{\"job\":\"market\",\"status\":\"success\",\"started\":\"2026-01-01T10:50:00Z\","
            "\"duration_ms\":1}],"
            "\"next\":{\"enrich\":null,\"full\":\"2026-01-01T18:00:00Z\",\"market\":null},"
            "\"running\":[\"full\"]}",
};

static void test_whole(void **state)
{
    (void)state;
    expect(
        &whole,
        "http://gate at 2026-01-01T12:00:00.000Z: degraded\n"
        "\n"
        "SYMBOL  STATUS   AGE     VALUE          STATE        SOURCE            NEXT RUN  "
        "CATEGORY\n"
        "coffee  FRESH    12 s    2.9430 USD/lb  live         yahoo (fallback)  in 3 s    "
        "coffee_prices\n"
        "tea     STALE    30 min  2.943 USD      stale        sim               -         "
        "coffee_prices\n"
        "minas   MISSING  -       -              unavailable  -                 -         weather\n"
        "\n"
        "SUSPECT  VALUE  SOURCE     RULE        FOR    WHY\n"
        "tea      294.3  yahoo      factor_100  2 min  294.3 against 2.943 held\n"
        "minas    214    openmeteo  range       60 s   214 is outside the range\n"
        "\n"
        "JOB     LAST RUN  RESULT   TOOK  UPDATED  UNCHANGED  FAILED  NEXT RUN\n"
        "full    running   -        -     -        -          -       in 6.0 h\n"
        "market  10 min    partial  2 s   5        1          2       -\n"
        "\n"
        "PROVIDER  BREAKER    FAILURES  CREDITS  RELIABILITY  LAST SUCCESS  RETRY     TROUBLE\n"
        "yahoo     open       3         27       87.5 %       60 min        in 4 min  blocked\n"
        "zeta      suspended  5         -        100.0 %      -             -\n"
        "finnhub   disabled   0         -        -            -             -         no "
        "api_key\n");
}

/* A gateway without jobs, observations, next_run and reliability. */
static void test_older(void **state)
{
    (void)state;
    const struct texts t = {
        .status =
            "{\"overall_status\":\"healthy\",\"categories\":{\"a\":{\"x\":{\"status\":\"fresh\","
            "\"last_updated\":\"2026-01-01T11:59:48Z\"}}}}",
        .quotes = "{\"data\":[]}",
        .sources = "{\"sources\":{\"sim\":{\"state\":\"closed\"}}}",
    };
    expect(&t, "http://gate at -: healthy\n\n"
               "SYMBOL  STATUS  AGE   VALUE  STATE  SOURCE  NEXT RUN  CATEGORY\n"
               "x       FRESH   0 ms  -      -      -       -         a\n\n"
               "PROVIDER  BREAKER  FAILURES  CREDITS  RELIABILITY  LAST SUCCESS  RETRY  TROUBLE\n"
               "sim       closed   -         -        -            -             -\n");
}

/* Its prices are all fresh without Redis, too: that it is away is said beside. */
static void test_without_redis(void **state)
{
    (void)state;
    struct texts t = {
        .status = "{\"overall_status\":\"healthy\"}",
        .sources = "{}",
        .quotes = "{}",
        .ready = "{\"ready\":true,\"degraded\":[\"providers\",\"bus\"]}",
    };
    char *got = view_of(&t, &(struct table_style){0});
    assert_non_null(strstr(got, "healthy\nRedis cannot be used; the log says why (bus_down, "
                                "bus_refused)\n"));
    free(got);
    t.ready = "{\"ready\":true,\"degraded\":[\"providers\"]}";
    got = view_of(&t, &(struct table_style){0});
    assert_null(strstr(got, "Redis"));
    free(got);
}

/* What no instrument names has no row, whether it could be asked or not. */
static void test_providers_in_no_chain(void **state)
{
    (void)state;
    const struct texts t = {
        .status = "{\"overall_status\":\"healthy\"}",
        .sources = "{\"sources\":{\"fred\":{\"state\":\"disabled\",\"in_use\":false},"
                   "\"ico\":{\"state\":\"closed\",\"in_use\":false},"
                   "\"sim\":{\"state\":\"closed\",\"in_use\":true}}}",
        .quotes = "{}",
    };
    char *got = view_of(&t, &(struct table_style){0});
    assert_non_null(strstr(got, "TROUBLE\nsim       closed "));
    assert_non_null(strstr(got, "\nIn no chain: ico, fred\n"));
    assert_null(strstr(got, "\nico"));
    free(got);
}

/* Members of any other type are as good as absent; nothing of it ends the program. */
static void test_odd(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "{}",
        "[]",
        "{\"data\":1,\"categories\":[],\"sources\":7,\"jobs\":{},\"next\":[1]}",
        "{\"data\":[1,null,{\"symbol\":7}],\"categories\":{\"a\":1,\"b\":{\"c\":null,\"d\":{"
        "\"suspect\":{}}}},"
        "\"sources\":{\"a\":null,\"b\":{\"reliability\":\"x\",\"retry_at\":5,\"suspended\":1}},"
        "\"jobs\":[1,{\"job\":3}],\"next\":{\"a\":\"never\"},\"running\":[{},\"a\"],\"timestamp\":"
        "12}",
    };
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        const struct texts t = {odd[i], odd[i], odd[i], odd[i], odd[i], odd[i]};
        char *got = view_of(&t, &(struct table_style){40, true});
        assert_non_null(got);
        free(got);
    }
    expect(&(struct texts){0}, "http://gate at -: -\n");
}

static void test_colours_and_width(void **state)
{
    (void)state;
    char *got = view_of(&whole, &(struct table_style){24, true});
    assert_non_null(strstr(got, "\ncoffee  \x1b[32mFRESH\x1b[0m    12 s\n"));
    assert_non_null(strstr(got, "\ntea     \x1b[1;31mSTALE\x1b[0m    30 min\n"));
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),         cmocka_unit_test(test_older),
        cmocka_unit_test(test_without_redis), cmocka_unit_test(test_providers_in_no_chain),
        cmocka_unit_test(test_odd),           cmocka_unit_test(test_colours_and_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
