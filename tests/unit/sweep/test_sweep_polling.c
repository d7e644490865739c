/* The polling half as a whole without memory: what is asked for is answered, or somebody says that
 * there was no memory; and it can be used again. Its parts: test_sweep_feeds.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>
#include <uv.h>

#include "bus.h"
#include "clock.h"
#include "feeds.h"
#include "item.h"
#include "log.h"
#include "loop_wait.h"
#include "scarce.h"
#include "sweep.h"
#include "sweep_config.h"

static const int64_t NOW_MS = 1767225600000;

struct half {
    uv_loop_t loop;
    struct bus *bus;
    struct config *config;
    struct metrics metrics;
    struct feeds *feeds;
    bool asked, answered, said_no_memory;
    char outcome[512];
    int items;
};

static void on_item(void *ctx, int id, const char *bytes, size_t len)
{
    struct half *h = ctx;
    struct err err;
    scarce_pause();
    const char *symbol = h->config->instruments[id].symbol;
    struct item *it = item_parse(bytes, len, INSTRUMENT_QUOTE, symbol, clock_wall_ms(), &err);
    assert_non_null(it);
    h->items++;
    scarce_resume();
    if (h->feeds)
        feeds_item(h->feeds, id, it);
    item_unref(it);
}

static void on_shared(void *ctx, const char *key, const char *bytes, size_t len)
{
    struct half *h = ctx;
    if (h->feeds)
        feeds_shared(h->feeds, key, bytes, len);
}

static void *half_make(void)
{
    static struct half h;
    struct err err;
    memset(&h, 0, sizeof h);
    log_setup(LOG_ERROR, true);
    h.config = load();
    uv_loop_init(&h.loop);
    const struct bus_options options = {.url = "", .prefix = "", .symbols_max = 3};
    const struct bus_handler handler = {.ctx = &h, .item = on_item, .shared = on_shared};
    h.bus = bus_new(&h.loop, &options, &handler, &err);
    for (size_t i = 0; i < h.config->instruments_len; i++)
        assert_int_equal(
            bus_watch(h.bus, h.config->instruments[i].symbol, INSTRUMENT_QUOTE, (int)i), 0);
    assert_int_equal(bus_start(h.bus, &err), 0);
    return &h;
}

/* The first turns of the loop; what waits for a network is not waited for. */
static void turn(struct half *h)
{
    for (int i = 0; i < 5; i++)
        uv_run(&h->loop, UV_RUN_NOWAIT);
}

static void half_stop(struct half *h)
{
    struct feeds *f = h->feeds;
    if (!f)
        return;
    feeds_stop(f);
    h->feeds = NULL;
    feeds_close(f, NULL, NULL);
    turn(h);
}

static void half_drop(void *o)
{
    struct half *h = o;
    half_stop(h);
    bus_close(h->bus, NULL, NULL);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&h->loop), 0);
    metrics_fini(&h->metrics);
    config_free(h->config);
}

static bool half_start(struct half *h)
{
    struct err err = {""};
    half_stop(h);
    h->feeds = feeds_new(&h->loop, h->config, h->bus, &h->metrics, NOW_MS, &err);
    assert_true(h->feeds || err.text[0]);
    return h->feeds != NULL;
}

static bool feeds_new_work(void *o)
{
    return half_start(o);
}

/* What publish says of an item that could not be made. */
static bool is_about_memory(const char *sentence)
{
    return strstr(sentence, "out of memory") || strstr(sentence, "no item could be made");
}

static void on_walked(void *ctx, const struct walk_end *ends, size_t n)
{
    struct half *h = ctx;
    h->answered = true;
    h->said_no_memory |= !ends;
    scarce_pause();
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(h->outcome);
        h->said_no_memory |= ends[i].n == 0;
        snprintf(h->outcome + len, sizeof h->outcome - len, "%d:%d ", ends[i].id, ends[i].accepted);
        for (size_t k = 0; k < ends[i].n; k++)
            h->said_no_memory |= is_about_memory(ends[i].steps[k].detail);
    }
    scarce_resume();
}

static void on_refreshed(void *ctx, const struct refresh_result *results, size_t n)
{
    struct half *h = ctx;
    h->answered = true;
    h->said_no_memory |= !results;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(h->outcome);
        snprintf(h->outcome + len, sizeof h->outcome - len, "%d=%s ", results[i].id,
                 results[i].error ? results[i].error : "ok");
        h->said_no_memory |= results[i].message && is_about_memory(results[i].message);
    }
}

static bool is_polled(void *ctx)
{
    return ((const struct half *)ctx)->items >= 2; /* the third needs a network */
}

static bool is_answered(void *ctx)
{
    return ((const struct half *)ctx)->answered;
}

static void *polling_make(void)
{
    struct half *h = half_make();
    assert_true(half_start(h));
    feeds_start(h->feeds);
    assert_true(loop_wait(&h->loop, is_polled, h, LOOP_WAIT_MS));
    return h;
}

static void begin_asking(struct half *h)
{
    h->answered = h->said_no_memory = false;
    h->outcome[0] = '\0';
}

/* However many turns it takes: a walk makes pauses on a slow machine. */
static bool wait_for_answer(struct half *h)
{
    assert_true(loop_wait(&h->loop, is_answered, h, LOOP_WAIT_MS));
    return !h->said_no_memory;
}

/* Each is asked once more, whatever was known. A walk never joins another. */
static bool walk_work(void *o)
{
    static const int ids[] = {0, 1};
    struct half *h = o;
    begin_asking(h);
    feeds_walk(h->feeds, ids, 2, "sim", on_walked, h);
    return wait_for_answer(h);
}

static void half_tell(void *o, struct buf *told)
{
    buf_adds(told, ((struct half *)o)->outcome);
}

static bool refresh_work(void *o)
{
    static const int ids[] = {0, 1};
    struct half *h = o;
    begin_asking(h);
    feeds_refresh(h->feeds, ids, 2, on_refreshed, h);
    return wait_for_answer(h) && h->outcome[0];
}

static bool run_job(struct half *h)
{
    begin_asking(h);
    feeds_run_job(h->feeds, JOB_MARKET, on_refreshed, h);
    return wait_for_answer(h);
}

/* Asked again, it may join the run that had no memory; the next is a new one. */
static bool job_work(void *o)
{
    struct half *h = o;
    bool again = h->asked;
    h->asked = true;
    return run_job(h) || (again && run_job(h));
}

static bool described_work(void *o)
{
    struct half *h = o;
    json_t *sources = feeds_sources(h->feeds), *jobs = feeds_jobs(h->feeds);
    h->outcome[0] = '\0';
    if (sources && jobs)
        snprintf(h->outcome, sizeof h->outcome, "%zu %zu %zu", json_object_size(sources),
                 json_object_size(jobs), json_object_size(json_object_get(jobs, "next")));
    json_decref(sources);
    json_decref(jobs);
    return h->outcome[0] != '\0';
}

static bool provenance_work(void *o)
{
    struct half *h = o;
    json_t *said = feeds_provenance(h->feeds, 0);
    h->outcome[0] = '\0';
    if (said)
        snprintf(h->outcome, sizeof h->outcome, "%zu %zu", json_object_size(said),
                 json_array_size(json_object_get(said, "sources")));
    json_decref(said);
    return h->outcome[0] != '\0';
}

static void each_allocation_fails_once(void **state)
{
    static const struct sweep all[] = {
        {"the half, made",     half_make,    feeds_new_work,  NULL,      half_drop},
        {"a walk",             polling_make, walk_work,       half_tell, half_drop},
        {"a refresh",          polling_make, refresh_work,    half_tell, half_drop},
        {"a provenance",       polling_make, provenance_work, half_tell, half_drop},
        {"a job",              polling_make, job_work,        NULL,      half_drop},
        {"what it says of it", polling_make, described_work,  half_tell, half_drop},
    };
    (void)state;
    sweep_run_all(all, ARRAY_LEN(all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
