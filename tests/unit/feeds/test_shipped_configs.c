/* The two configurations that are compiled in, by the rules of the real providers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "embedded.h"
#include "exchanges.h"
#include "provider.h"

enum { RULES_MAX = 64 };

static struct config *load(const char *path, const char *const *env)
{
    struct config_provider_rule rules[RULES_MAX];
    struct buf problems = {0}, warnings = {0};
    const struct embedded_file *e = embedded_files;
    while (e->path && strcmp(e->path, path) != 0)
        e++;
    assert_non_null(e->path);
    assert_true(providers_len <= RULES_MAX);
    for (size_t i = 0; i < providers_len; i++)
        rules[i] = providers[i]->rule;
    const struct config_input in = {.text = e->begin,
                                    .len = strlen(e->begin),
                                    .environ_list = env,
                                    .providers = rules,
                                    .providers_len = providers_len};
    struct config *c = config_load(&in, &problems, &warnings);
    if (!c)
        fail_msg("%s is not valid: %s", path, problems.p);
    assert_int_equal(warnings.len, 0);
    buf_fini(&problems);
    buf_fini(&warnings);
    return c;
}

static size_t count_categories(const struct config *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->instruments_len; i++) {
        size_t k = 0;
        while (k < i && strcmp(c->instruments[k].category, c->instruments[i].category) != 0)
            k++;
        n += k == i;
    }
    return n;
}

static const struct config_provider *provider_of(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->providers_len; i++)
        if (strcmp(c->providers[i].name, name) == 0)
            return &c->providers[i];
    fail_msg("no provider %s", name);
    return NULL;
}

/* A name that is not built in would be taken, and mean nothing. */
static void check_exchanges(const struct config *c)
{
    struct buf problems = {0};
    struct exchanges *x = exchanges_new(c, &problems);
    size_t named = 0;
    assert_non_null(x);
    for (size_t i = 0; i < c->instruments_len; i++) {
        const char *name = c->instruments[i].exchange;
        if (name && !exchanges_clock(x, name))
            fail_msg("%s: no exchange %s is built in", c->instruments[i].symbol, name);
        named += name != NULL;
    }
    assert_true(named >= 9);
    exchanges_free(x);
}

/* Those that come with the program need no key either, and say where they are about. */
static void check_observations(const struct config *c)
{
    for (size_t i = c->quotes_len; i < c->instruments_len; i++) {
        const struct instrument *in = &c->instruments[i];
        assert_int_equal(in->kind, INSTRUMENT_OBSERVATION);
        assert_string_equal(in->category, "weather");
        assert_non_null(in->region);
        assert_true(in->sources_len > 0);
        assert_true(provider_of(c, in->sources[0].provider)->enabled);
    }
}

static void test_default(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const key[] = {"TWELVE_DATA_API_KEY=k", NULL};
    struct config *c = load("gateway/config/default.json", none);
    (void)state;
    assert_in_range(c->quotes_len, 9, 14);
    assert_in_range(c->instruments_len - c->quotes_len, 2, 6);
    assert_int_equal(count_categories(c), 6);
    check_observations(c);
    assert_false(provider_of(c, "twelvedata")->enabled);
    for (size_t i = 0; i < c->quotes_len; i++) {
        const struct instrument *in = &c->instruments[i];
        size_t keyless = 0;
        assert_true(in->range_min.given);
        assert_non_null(in->currency);
        for (size_t k = 0; k < in->sources_len; k++)
            keyless += provider_of(c, in->sources[k].provider)->enabled;
        assert_true(keyless >= 1);                   /* works without any key */
        for (size_t k = 1; k < in->sources_len; k++) /* figures of a day never hide live ones */
            assert_true(providers[in->sources[k].provider_id]->data >= DATA_END_OF_DAY ||
                        providers[in->sources[k - 1].provider_id]->data < DATA_END_OF_DAY);
        if (strcmp(in->category, "fx_rates") == 0 || strcmp(in->category, "crypto") == 0)
            assert_true(keyless >= 2); /* and when Yahoo is gone */
    }
    check_exchanges(c);
    config_free(c);
    c = load("gateway/config/default.json", key);
    assert_true(provider_of(c, "twelvedata")->enabled);
    assert_string_equal(provider_of(c, "twelvedata")->api_key, "k");
    config_free(c);
}

static void test_demo(void **state)
{
    static const char *const none[] = {NULL};
    struct config *c = load("gateway/config/demo.json", none);
    (void)state;
    assert_in_range(c->quotes_len, 17, 23);
    assert_int_equal(c->instruments_len - c->quotes_len, 2);
    assert_int_equal(count_categories(c), 6);
    check_observations(c);
    assert_true(provider_of(c, "sim")->enabled);
    size_t faulty =
        0; /* a fallback and a silence are to be seen, but most of the market is sound */
    for (size_t i = 0; i < c->quotes_len; i++) {
        const struct instrument *in = &c->instruments[i];
        const char *first = in->sources[0].symbol;
        assert_in_range(in->poll_ms, 200, 1000);
        assert_true(in->range_min.given);
        for (size_t k = 0; k < in->sources_len; k++) {
            assert_string_equal(in->sources[k].provider, "sim");
            assert_int_equal(strncmp(in->sources[k].symbol, in->symbol, strlen(in->symbol)), 0);
        }
        if (strcmp(first, in->symbol) == 0)
            assert_int_equal(in->sources_len, 1);
        else
            faulty++;
    }
    assert_int_equal(faulty, 2);
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_demo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
