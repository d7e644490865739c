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

#include "breaker.h"
#include "budget.h"
#include "dead_letter.h"
#include "exchanges.h"
#include "fetch.h"
#include "job_run.h"
#include "job_store.h"
#include "kept_reply.h"
#include "loop_wait.h"
#include "plan.h"
#include "provider.h"
#include "reliability.h"
#include "scarce.h"
#include "schedule.h"
#include "sweep.h"
#include "sweep_config.h"

static const int64_t NOW_MS = 1767225600000;
static const struct budget unlimited_day = {
    .limits = {0, 8, 0, 800}
};

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

/* --- a request; nobody listens where it goes --- */

struct request {
    uv_loop_t loop;
    struct fetch *fetch;
    bool over;
    char said[160];
};

static void *request_make(void)
{
    static struct request q;
    struct err err;
    memset(&q, 0, sizeof q);
    uv_loop_init(&q.loop);
    q.fetch = fetch_new(&q.loop, &err);
    assert_non_null(q.fetch);
    return &q;
}

static void on_fetched(void *ctx, const struct http_reply *reply, enum failure failure,
                       const char *detail)
{
    struct request *q = ctx;
    assert_null(reply);
    q->over = true;
    snprintf(q->said, sizeof q->said, "%s %s", failure_name(failure),
             strstr(detail, "out of memory") ? detail : "");
}

static bool is_over(void *ctx)
{
    return ((const struct request *)ctx)->over;
}

static bool request_work(void *o)
{
    struct request *q = o;
    struct http_request rq = {0};
    struct err err = {""};
    q->over = false;
    scarce_pause();
    buf_adds(&rq.url, "http://127.0.0.1:1/");
    scarce_resume();
    bool begun = fetch_start(q->fetch, &rq, NULL, on_fetched, q, &err) != NULL;
    assert_true(begun || err.text[0]);
    if (begun)
        assert_true(loop_wait(&q->loop, is_over, q, LOOP_WAIT_MS));
    http_request_fini(&rq);
    return begun && !strstr(q->said, "out of memory");
}

static void request_tell(void *o, struct buf *told)
{
    buf_adds(told, ((struct request *)o)->said);
}

static void request_drop(void *o)
{
    struct request *q = o;
    fetch_close(q->fetch, NULL, NULL);
    uv_run(&q->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&q->loop), 0);
}

static void each_allocation_fails_once(void **state)
{
    static const struct sweep all[] = {
        {"a schedule",        NULL,         schedule_work,    NULL,         NULL        },
        {"a plan",            planned_make, planned_work,     planned_tell, planned_drop},
        {"exchanges",         planned_make, exchanges_work,   planned_tell, planned_drop},
        {"holidays",          NULL,         holidays_work,    NULL,         NULL        },
        {"a budget",          paper_make,   budget_work,      paper_tell,   paper_drop  },
        {"a reliability",     paper_make,   reliability_work, paper_tell,   paper_drop  },
        {"a breaker",         paper_make,   breaker_work,     paper_tell,   paper_drop  },
        {"a run of a job",    paper_make,   run_work,         paper_tell,   paper_drop  },
        {"a history of jobs", paper_make,   history_work,     paper_tell,   paper_drop  },
        {"a dead letter",     NULL,         letter_work,      NULL,         NULL        },
        {"a kept reply",      NULL,         kept_work,        NULL,         NULL        },
        {"a request",         request_make, request_work,     request_tell, request_drop},
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
