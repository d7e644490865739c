/* The document of the last runs on the bus: read before it is written, written before we leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "job_store.h"
#include "jsonx.h"

static const int64_t T = 1767225600000;
static const char KEY[] = "pricegate:jobs";

struct stage {
    uv_loop_t loop;
    struct bus *bus;
    struct job_store store;
    bool deaf;       /* answers are kept from the store */
    char said[4000]; /* the last answer */
};

static void on_shared(void *ctx, const char *key, const char *bytes, size_t len)
{
    struct stage *s = ctx;
    snprintf(s->said, sizeof s->said, "%.*s", (int)len, bytes);
    if (!s->deaf)
        assert_true(job_store_shared(&s->store, key, bytes, len, T));
}

static void on_link(void *ctx, bool up, const char *why)
{
    (void)ctx, (void)up, (void)why;
}

static int set_up(void **state)
{
    static struct stage s;
    const struct bus_options options = {.url = "", .prefix = ""};
    const struct bus_handler handler = {.ctx = &s, .shared = on_shared, .link = on_link};
    struct err err;
    s = (struct stage){0};
    uv_loop_init(&s.loop);
    s.bus = bus_new(&s.loop, &options, &handler, &err);
    assert_non_null(s.bus);
    assert_int_equal(job_store_init(&s.store, s.bus), 0);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *s = *state;
    job_store_fini(&s->store);
    bus_close(s->bus, NULL, NULL);
    return uv_loop_close(&s->loop);
}

static const char *on_the_bus(struct stage *s)
{
    s->deaf = true;
    bus_shared_read(s->bus, KEY);
    s->deaf = false;
    return s->said;
}

static void test_read_merge_write(void **state)
{
    struct stage *s = *state;
    static const char theirs[] = "{\"last\":{\"full\":7},\"runs\":[]}";
    job_store_read(&s->store, 1);
    assert_true(s->store.known);
    job_store_keep(&s->store, 2);
    assert_string_equal(on_the_bus(s), ""); /* nothing to say yet */

    bus_shared_write(s->bus, KEY, theirs, strlen(theirs), 60); /* another process */
    job_history_ran(&s->store.history, JOB_MARKET, 8);
    s->store.dirty = true;
    job_store_keep(&s->store, 3);
    assert_string_equal(on_the_bus(s), "{\"last\":{\"full\":7,\"market\":8},\"runs\":[]}");
    assert_false(s->store.dirty);
}

static void test_an_answer_that_does_not_come(void **state)
{
    struct stage *s = *state;
    s->deaf = true;
    job_store_read(&s->store, 1);
    assert_false(s->store.known);
    s->deaf = false;
    job_history_ran(&s->store.history, JOB_MARKET, 8);
    s->store.dirty = true;
    job_store_keep(&s->store, 5000); /* it may still come */
    assert_false(s->store.known);
    job_store_leave(&s->store); /* and nothing is put in place of what nobody has read */
    assert_string_equal(on_the_bus(s), "");
    job_store_keep(&s->store, 5001);
    assert_true(s->store.known);
    assert_false(s->store.dirty);
}

static void test_written_before_we_leave(void **state)
{
    struct stage *s = *state;
    job_store_read(&s->store, 1);
    job_store_leave(&s->store);
    assert_string_equal(on_the_bus(s), "");
    job_history_ran(&s->store.history, JOB_ENRICH, 9);
    s->store.dirty = true;
    job_store_leave(&s->store);
    assert_string_equal(on_the_bus(s), "{\"last\":{\"enrich\":9},\"runs\":[]}");
}

static void test_other_keys_and_nonsense(void **state)
{
    struct stage *s = *state;
    assert_false(job_store_shared(&s->store, "pricegate:job", "{}", 2, T));
    assert_false(s->store.known);
    assert_true(job_store_shared(&s->store, KEY, "{]", 2, T));
    assert_true(s->store.known);
    assert_int_equal(json_array_size(s->store.history.runs), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read_merge_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_answer_that_does_not_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_written_before_we_leave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_keys_and_nonsense, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
