/* Which instrument of one configuration is which of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config_rig.h"
#include "instrument_map.h"

static struct config *must_load(const char *text)
{
    struct fixture f = {0};
    struct config *c = load(&f, text, NULL);
    assert_non_null(c);
    buf_fini(&f.problems);
    buf_fini(&f.warnings);
    return c;
}

static void they_are_found_by_name_and_kind(void **state)
{
    (void)state;
    struct config *a = must_load("{\"instruments\":[{\"symbol\":\"a\",\"sources\":[]},"
                                 "{\"symbol\":\"b\",\"sources\":[]},"
                                 "{\"symbol\":\"c\",\"sources\":[]}]}");
    struct config *b = must_load(
        "{\"instruments\":[{\"symbol\":\"d\",\"sources\":[]},"
        "{\"symbol\":\"c\",\"sources\":[]}],"
        "\"observations\":[{\"name\":\"b\",\"sources\":[]},{\"name\":\"e\",\"sources\":[]}]}");
    struct instrument_map m;
    assert_int_equal(instrument_map_init(&m, a, b), 0);
    static const int there[] = {-1, -1, 1};
    static const bool joined[] = {true, false, true, true};
    assert_memory_equal(m.there, there, sizeof there);
    assert_memory_equal(m.joined, joined, sizeof joined);
    instrument_map_fini(&m);
    instrument_map_fini(&m);
    config_free(a);
    config_free(b);
}

/* Each member that a configuration may give makes a difference, alone. */
static void what_differs_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        bool sources;
    } cases[] = {
        {"\"name\":\"A\",\"sources\":[]",                           false},
        {"\"category\":\"x\",\"sources\":[]",                       false},
        {"\"unit\":\"USD/lb\",\"sources\":[]",                      false},
        {"\"currency\":\"USD\",\"sources\":[]",                     false},
        {"\"exchange\":\"ICEUS\",\"sources\":[]",                   false},
        {"\"range\":[1,2],\"sources\":[]",                          false},
        {"\"poll_ms\":5000,\"sources\":[]",                         false},
        {"\"delayed_after_ms\":5000,\"sources\":[]",                false},
        {"\"ttl_s\":50,\"sources\":[]",                             false},
        {"\"stale_after_ms\":500000,\"sources\":[]",                false},
        {"\"max_jump_pct\":5,\"sources\":[]",                       false},
        {"\"sources\":[{\"provider\":\"yahoo\",\"symbol\":\"A\"}]", true },
        {"\"sources\":[{\"provider\":\"sim\",\"symbol\":\"A\"}]",   true },
        {"\"sources\":[{\"provider\":\"yahoo\",\"symbol\":\"B\"}]", true },
        {"\"range\":[1,3],\"sources\":[]",                          false},
    };
    struct config *last = must_load("{\"instruments\":[{\"symbol\":\"a\",\"sources\":[]}]}");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[300];
        struct instrument_map m;
        snprintf(text, sizeof text, "{\"instruments\":[{\"symbol\":\"a\",%s}]}", cases[i].members);
        struct config *next = must_load(text), *same = must_load(text);
        assert_int_equal(instrument_map_init(&m, last, next), 0);
        if (!instrument_map_changed(&m, 0))
            fail_msg("%s", text);
        instrument_map_fini(&m);
        assert_int_equal(instrument_map_init(&m, same, next), 0);
        assert_false(instrument_map_changed(&m, 0));
        assert_true(instrument_map_same_sources(&m, 0));
        instrument_map_fini(&m);
        struct config *plain = must_load("{\"instruments\":[{\"symbol\":\"a\",\"sources\":[]}]}");
        assert_int_equal(instrument_map_init(&m, plain, next), 0);
        assert_true(instrument_map_same_sources(&m, 0) != cases[i].sources);
        instrument_map_fini(&m);
        config_free(plain);
        config_free(same);
        config_free(last);
        last = next;
    }
    config_free(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_found_by_name_and_kind),
        cmocka_unit_test(what_differs_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
