/* The polling half without memory. What comes out is a price, a failure or a document, or the word
 * that there is none; never a part of one. (The parsers are swept with each of their replies, see
 * reply_case.h.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>
#include <uv.h>

#include "budget.h"
#include "bus.h"
#include "clock.h"
#include "dead_letter.h"
#include "exchanges.h"
#include "feeds.h"
#include "job_run.h"
#include "job_store.h"
#include "kept_reply.h"
#include "log.h"
#include "loop_wait.h"
#include "plan.h"
#include "provider.h"
#include "publish.h"
#include "reliability.h"
#include "scarce.h"
#include "schedule.h"
#include "sweep.h"
#include "symtab.h"
#include "upstream.h"
#include "watch.h"

static const int64_t NOW_MS = 1767225600000;
static const struct budget unlimited_day = {
    .limits = {0, 8, 0, 800}
};

/* --- a configuration by the real providers --- */

static const char config_text[] =
    "{\"exchanges\":[{\"name\":\"HOUSE\",\"timezone\":\"America/Lima\",\"hours\":"
    "[\"Mon-Fri 09:00-12:30\",\"Mon-Fri 14:00-17:00\"]}],"
    "\"jobs\":{\"market\":{\"times\":[\"06:00\"]}},"
    "\"providers\":{\"twelvedata\":{\"api_key\":\"k\",\"base_url\":\"http://127.0.0.1:1\"}},"
    "\"instruments\":[{\"symbol\":\"A\",\"exchange\":\"NYSE\",\"sources\":"
    "[{\"provider\":\"sim\",\"symbol\":\"X\"},{\"provider\":\"twelvedata\",\"symbol\":\"A\"}]},"
    "{\"symbol\":\"B\",\"exchange\":\"HOUSE\",\"sources\":[{\"provider\":\"sim\",\"symbol\":\"Y\"}]"
    "},"
    "{\"symbol\":\"C\",\"poll_ms\":1000,\"sources\":"
    "[{\"provider\":\"twelvedata\",\"symbol\":\"C\"}]}]}";

static struct config *load(void)
{
    struct config_provider_rule rules[32];
    struct buf problems = {0}, warnings = {0};
    static const char *const env[] = {NULL};
    assert_true(providers_len <= ARRAY_LEN(rules));
    for (size_t i = 0; i < providers_len; i++)
        rules[i] = providers[i]->rule;
    const struct config_input in = {.text = config_text,
                                    .len = sizeof config_text - 1,
                                    .environ_list = env,
                                    .providers = rules,
                                    .providers_len = providers_len};
    struct config *c = config_load(&in, &problems, &warnings);
    if (!c)
        fail_msg("not valid: %s", problems.p);
    buf_fini(&problems);
    buf_fini(&warnings);
    return c;
}

/* --- what is made at the start --- */

static bool schedule_work(void *o)
{
    struct schedule *s = schedule_new(3, 2, 7);
    (void)o;
    schedule_free(s);
    return s != NULL;
}

struct planned {
    struct config *config;
    struct buf said;
};

static void *planned_make(void)
{
    struct planned *p = calloc(1, sizeof *p);
    p->config = load();
    return p;
}

static void hear_line(void *ctx, enum plan_line kind, const char *sentence)
{
    struct planned *p = ctx;
    scarce_pause();
    buf_addf(&p->said, "%d %s\n", (int)kind, sentence);
    scarce_resume();
}

static bool planned_work(void *o)
{
    struct planned *p = o;
    buf_fini(&p->said);
    struct plan *plan = plan_new(p->config);
    bool ok = plan && plan_tell(plan, hear_line, p) == 0;
    plan_free(plan);
    return ok;
}

static void planned_tell(void *o, struct buf *told)
{
    const struct planned *p = o;
    buf_add(told, p->said.p, p->said.len);
}

static void planned_drop(void *o)
{
    struct planned *p = o;
    config_free(p->config);
    buf_fini(&p->said);
    free(p);
}

/* A broken one has nobody to listen to: it must say something. */
static bool exchanges_work(void *o)
{
    struct planned *p = o;
    struct buf problems = {0};
    buf_fini(&p->said);
    struct exchanges *x = exchanges_new(p->config, &problems);
    if (x) {
        scarce_pause();
        exchanges_turn(x, NOW_MS);
        buf_addf(&p->said, "%d %d", exchanges_clock(x, "NYSE") != NULL,
                 exchanges_clock(x, "HOUSE") != NULL);
        scarce_resume();
    }
    exchanges_free(x);
    assert_true(x || problems.len > 0 || problems.failed);
    buf_fini(&problems);
    return x != NULL;
}

static bool holidays_work(void *o)
{
    static const char text[] = "2026-12-25\n2026-12-24 13:00 # early\n";
    struct err err;
    struct holidays *h = holidays_parse(text, sizeof text - 1, &err);
    bool ok = h && holidays_len(h) == 2;
    (void)o;
    holidays_free(h);
    return ok;
}

/* --- documents --- */

struct paper {
    struct budget budget;
    struct reliability reliability;
    struct breaker breaker;
    struct job_run *run;
    struct job_history history;
    json_t *doc;
};

static void *paper_make(void)
{
    static const struct config_provider asked[] = {{.name = "twelvedata"}, {.name = "yahoo"}};
    static const struct config_source sources[] = {
        {"twelvedata", 0, "KC1" },
        {"yahoo",      1, "KC=F"}
    };
    static const struct instrument instruments[] = {
        {.symbol = "coffee", .sources = sources, .sources_len = 2},
        {.symbol = "cocoa",  .sources = sources, .sources_len = 2},
    };
    static const struct config config = {
        .providers = asked, .providers_len = 2, .instruments = instruments, .instruments_len = 2};
    static const int ids[] = {0, 1};
    struct paper *p = calloc(1, sizeof *p);
    budget_init(&p->budget, unlimited_day.limits, NULL);
    for (int i = 0; i < 5; i++) {
        budget_take(&p->budget, 2, false, NOW_MS + i * 10000);
        reliability_fetch(&p->reliability, i % 2, NOW_MS - i * INT64_C(86400000));
    }
    breaker_init(&p->breaker, 3, 300);
    breaker_failure(&p->breaker, FAIL_TIMEOUT, NOW_MS);
    p->run = job_run_new(&config, JOB_FULL, ids, 2, NOW_MS);
    for (int i = 0; i < 2; i++) {
        const struct chain_step step = {
            .pos = 1, .failure = i ? FAIL_TIMEOUT : FAIL_NONE, .asked = true, .detail = "why"};
        const struct chain_end end = {i, !i, &step, 1};
        const struct job_outcome o = {i, step.failure, "yahoo", step.detail, false, &end};
        job_run_ended(p->run, &o);
    }
    assert_int_equal(job_history_init(&p->history), 0);
    job_history_add(&p->history, job_run_record(p->run, 17));
    job_history_ran(&p->history, JOB_MARKET, NOW_MS);
    job_history_ran(&p->history, JOB_FULL, NOW_MS - 1);
    return p;
}

static bool paper_write(struct paper *p, json_t *doc)
{
    json_decref(p->doc);
    p->doc = doc;
    return doc != NULL;
}

static bool budget_work(void *o)
{
    struct paper *p = o;
    return paper_write(p, budget_save(&p->budget, NOW_MS + 50000));
}

static bool reliability_work(void *o)
{
    struct paper *p = o;
    return paper_write(p, reliability_save(&p->reliability, NOW_MS));
}

static bool breaker_work(void *o)
{
    struct paper *p = o;
    return paper_write(p, breaker_save(&p->breaker));
}

static bool run_work(void *o)
{
    struct paper *p = o;
    return paper_write(p, job_run_record(p->run, 17));
}

static bool history_work(void *o)
{
    struct paper *p = o;
    return paper_write(p, job_history_save(&p->history));
}

static void paper_tell(void *o, struct buf *told)
{
    char *text = json_dumps(((struct paper *)o)->doc, JSON_SORT_KEYS);
    buf_adds(told, text);
    free(text);
}

static void paper_drop(void *o)
{
    struct paper *p = o;
    json_decref(p->doc);
    job_run_free(p->run);
    job_history_fini(&p->history);
    free(p);
}

/* --- what is written for others --- */

static bool letter_work(void *o)
{
    static const struct config_source sources[] = {
        {"yahoo", 1, "KC=F"}
    };
    const struct instrument in = {.symbol = "coffee", .sources = sources, .sources_len = 1};
    const struct record record = {.price = decimal_from_int(3), .ts_ms = NOW_MS};
    struct quality_memory memory = {.held = true, .held_price = decimal_from_int(2)};
    struct quality_result result = {.failure = FAIL_BAD_SCHEMA, .rule = "jump"};
    const struct dead_letter d = {
        .wall_ms = NOW_MS, .in = &in, .record = &record, .result = &result, .memory = &memory};
    struct buf out = {0};
    (void)o;
    dead_letter_encode(&d, &out);
    bool ok = !out.failed;
    buf_fini(&out);
    return ok;
}

/* Without memory it forgets: the next request brings a whole reply. */
static bool kept_work(void *o)
{
    const struct http_reply reply = {.status = 200, .body = "rates", .len = 5, .etag = "\"7\""};
    const struct http_reply same = {.status = 304};
    struct kept_reply kept = {0};
    struct http_reply out = {0};
    (void)o;
    kept_reply_keep(&kept, "http://a/", &reply);
    bool ok = kept_reply_restore(&kept, "http://a/", &same, &out);
    assert_true(!ok || (out.len == 5 && memcmp(out.body, "rates", 5) == 0));
    kept_reply_fini(&kept);
    return ok;
}

/* --- all of it, with a provider that needs no network --- */

struct half {
    uv_loop_t loop;
    struct bus *bus;
    struct config *config;
    struct metrics metrics;
    struct feeds *feeds;
    bool answered, said_no_memory;
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

static bool job_work(void *o)
{
    struct half *h = o;
    begin_asking(h);
    feeds_run_job(h->feeds, JOB_INTELLIGENCE, on_refreshed, h);
    return wait_for_answer(h);
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
        {"a schedule",         NULL,         schedule_work,    NULL,         NULL        },
        {"a plan",             planned_make, planned_work,     planned_tell, planned_drop},
        {"exchanges",          planned_make, exchanges_work,   planned_tell, planned_drop},
        {"holidays",           NULL,         holidays_work,    NULL,         NULL        },
        {"a budget",           paper_make,   budget_work,      paper_tell,   paper_drop  },
        {"a reliability",      paper_make,   reliability_work, paper_tell,   paper_drop  },
        {"a breaker",          paper_make,   breaker_work,     paper_tell,   paper_drop  },
        {"a run of a job",     paper_make,   run_work,         paper_tell,   paper_drop  },
        {"a history of jobs",  paper_make,   history_work,     paper_tell,   paper_drop  },
        {"a dead letter",      NULL,         letter_work,      NULL,         NULL        },
        {"a kept reply",       NULL,         kept_work,        NULL,         NULL        },
        {"the half, made",     half_make,    feeds_new_work,   NULL,         half_drop   },
        {"a walk",             polling_make, walk_work,        half_tell,    half_drop   },
        {"a refresh",          polling_make, refresh_work,     half_tell,    half_drop   },
        {"a provenance",       polling_make, provenance_work,  half_tell,    half_drop   },
        {"a job",              polling_make, job_work,         NULL,         half_drop   },
        {"what it says of it", polling_make, described_work,   half_tell,    half_drop   },
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
