/* fetch against a real server on 127.0.0.1, plain and TLS. The loop runs until the job is done. */
#include "fetch.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "http_stub.h"

enum { PATIENT_MS = 60000 }; /* where time is not what is tested */

struct got {
    int calls;
    bool reply;
    int status;
    char body[256];
    size_t len;
    int64_t retry_after_s, credits_used, credits_left;
    char location[128];
    enum failure failure;
    char detail[256];
};

struct world {
    uv_loop_t loop;
    struct fetch *fetch;
    struct http_stub *plain, *good, *other;
    char folder[64];
};

static void on_done(void *ctx, const struct http_reply *reply, enum failure failure,
                    const char *detail)
{
    struct got *g = ctx;
    g->calls++;
    g->failure = failure;
    snprintf(g->detail, sizeof g->detail, "%s", detail);
    g->reply = reply != NULL;
    if (!reply)
        return;
    assert_int_equal(reply->body[reply->len], '\0');
    g->status = reply->status;
    g->len = reply->len;
    snprintf(g->body, sizeof g->body, "%s", reply->body);
    g->retry_after_s = reply->retry_after_s;
    g->credits_used = reply->credits_used;
    g->credits_left = reply->credits_left;
    snprintf(g->location, sizeof g->location, "%s", reply->location ? reply->location : "");
}

static struct fetch_job *begin_with(struct world *w, const char *url, const char *headers,
                                    const char *body, int64_t timeout_ms, struct got *g)
{
    struct http_request rq = {.url = {0}};
    struct fetch_limits limits = {.timeout_ms = timeout_ms ? timeout_ms : PATIENT_MS};
    struct err err;
    buf_adds(&rq.url, url);
    buf_adds(&rq.headers, headers);
    buf_adds(&rq.body, body);
    struct fetch_job *job = fetch_start(w->fetch, &rq, &limits, on_done, g, &err);
    http_request_fini(&rq);
    return job;
}

static struct fetch_job *begin(struct world *w, const char *url, const char *headers,
                               int64_t timeout_ms, struct got *g)
{
    return begin_with(w, url, headers, "", timeout_ms, g);
}

static struct got get(struct world *w, const char *url, int64_t timeout_ms)
{
    struct got g = {0};
    assert_non_null(begin(w, url, "", timeout_ms, &g));
    assert_int_equal(g.calls, 0);
    while (g.calls == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    return g;
}

static const char *url_of(const struct http_stub *s, const char *scheme, const char *path)
{
    static char url[256];
    snprintf(url, sizeof url, "%s://127.0.0.1:%d%s", scheme, http_stub_port(s), path);
    return url;
}

static void set_body(struct stub_rule *r, char fill, size_t len)
{
    memset(r->body, fill, len);
    r->body_len = len;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err err;
    char ca[128], path[2][128];
    strcpy(w->folder, "/tmp/pg-fetch-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    http_stub_make_certs(w->folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", w->folder);
    setenv("CURL_CA_BUNDLE", "/dev/null", 1); /* counts where the other one is not set */
    setenv("SSL_CERT_FILE", ca, 1);
    w->plain = http_stub_new(NULL, NULL);
    snprintf(path[0], sizeof path[0], "%s/good.pem", w->folder);
    snprintf(path[1], sizeof path[1], "%s/good.key", w->folder);
    w->good = http_stub_new(path[0], path[1]);
    snprintf(path[0], sizeof path[0], "%s/other.pem", w->folder);
    snprintf(path[1], sizeof path[1], "%s/other.key", w->folder);
    w->other = http_stub_new(path[0], path[1]);
    uv_loop_init(&w->loop);
    w->fetch = fetch_new(&w->loop, &err);
    assert_non_null(w->fetch);
    *state = w;
    return 0;
}

static void count_call(void *ctx)
{
    ++*(int *)ctx;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[128];
    int closed = 0;
    fetch_close(w->fetch, count_call, &closed);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    http_stub_free(w->plain);
    http_stub_free(w->good);
    http_stub_free(w->other);
    snprintf(command, sizeof command, "rm -rf '%s'", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static int clear(void **state)
{
    struct world *w = *state;
    http_stub_clear(w->plain);
    http_stub_clear(w->good);
    http_stub_clear(w->other);
    return 0;
}

static void test_reply(void **state)
{
    struct world *w = *state;
    http_stub_say(w->plain, 0, "/a", 200, "{\"x\":1}");
    strcpy(http_stub_rule(w->plain, 0)->headers,
           "API-Credits-Used: 3\r\napi-credits-left: 5\r\nRetry-After: 17\r\n");
    struct got g = get(w, url_of(w->plain, "http", "/a"), 0);
    assert_true(g.reply);
    assert_int_equal(g.status, 200);
    assert_string_equal(g.body, "{\"x\":1}");
    assert_int_equal(g.credits_used, 3);
    assert_int_equal(g.credits_left, 5);
    assert_int_equal(g.retry_after_s, 17);
    assert_string_equal(g.location, "");

    g = get(w, url_of(w->plain, "http", "/nothing"), 0); /* a status is no failure */
    assert_true(g.reply);
    assert_int_equal(g.status, 404);
    assert_int_equal(g.credits_left, -1);
    assert_int_equal(g.retry_after_s, -1);
}

static void test_request_headers(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    begin(w, url_of(w->plain, "http", "/h"), "Authorization: apikey K\nX-Two: 2\n", 0, &g);
    while (g.calls == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(http_stub_seen_with(w->plain, "Authorization: apikey K\r\n"), 1);
    assert_int_equal(http_stub_seen_with(w->plain, "X-Two: 2\r\n"), 1);
    assert_int_equal(http_stub_seen_with(w->plain, "User-Agent: pricegate/"), 1);
    assert_int_equal(http_stub_seen_with(w->plain, "gzip"), 1);
}

/* A body makes it a POST, of the type that the headers say; the next request is a GET again. */
static void test_body(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    static const char body[] = "{\"a\":\"line\nbreak\"}";
    http_stub_say(w->plain, 0, "POST /b", 200, "posted");
    http_stub_say(w->plain, 1, "GET /b", 200, "got");
    assert_non_null(begin_with(w, url_of(w->plain, "http", "/b"),
                               "Content-Type: application/json\n", body, 0, &g));
    while (g.calls == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_string_equal(g.body, "posted");
    const char *seen = http_stub_seen(w->plain, 0);
    assert_int_equal(strncmp(seen, "POST /b HTTP/1.1\r\n", 18), 0);
    assert_non_null(strstr(seen, "\r\nContent-Type: application/json\r\n"));
    assert_null(strstr(seen, "urlencoded"));
    assert_null(strcasestr(seen, "Expect:"));
    assert_string_equal(strstr(seen, "\r\n\r\n") + 4, body);
    g = get(w, url_of(w->plain, "http", "/b"), 0);
    assert_string_equal(g.body, "got");
    assert_null(strstr(http_stub_seen(w->plain, 1), "Content-"));
}

/* Larger than one write to the socket may be. */
static void test_large_body(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    char body[6001];
    memset(body, 'x', sizeof body - 1);
    body[6000] = '\0';
    http_stub_say(w->good, 0, "POST /", 200, "ok");
    assert_non_null(begin_with(w, url_of(w->good, "https", "/"), "", body, 0, &g));
    while (g.calls == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(g.status, 200);
    assert_string_equal(strstr(http_stub_seen(w->good, 0), "\r\n\r\n") + 4, body);
}

static void test_retry_after_date(void **state)
{
    struct world *w = *state;
    http_stub_say(w->plain, 0, "/d", 429, "");
    char *headers = http_stub_rule(w->plain, 0)->headers, date[64];
    time_t at = (time_t)(clock_wall_ms() / 1000) + 100;
    struct tm tm;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &tm));
    snprintf(headers, 128, "Retry-After: %s\r\n", date);
    struct got g = get(w, url_of(w->plain, "http", "/d"), 0);
    assert_in_range(g.retry_after_s, 60, 100);
    strcpy(headers, "Retry-After: soon\r\n");
    g = get(w, url_of(w->plain, "http", "/d"), 0);
    assert_int_equal(g.retry_after_s, -1);
}

static void test_redirect_is_not_followed(void **state)
{
    struct world *w = *state;
    http_stub_say(w->plain, 0, "/away", 302, "gone");
    strcpy(http_stub_rule(w->plain, 0)->headers, "Location: /target\r\n");
    http_stub_say(w->plain, 1, "/target", 200, "here");
    struct got g = get(w, url_of(w->plain, "http", "/away"), 0);
    assert_int_equal(g.status, 302);
    assert_string_equal(g.location, "/target");
    assert_string_equal(g.body, "gone");
    assert_int_equal(http_stub_count(w->plain), 1);
}

static void test_oversize(void **state)
{
    struct world *w = *state;
    http_stub_say(w->plain, 0, "/big", 200, "");
    set_body(http_stub_rule(w->plain, 0), 'a', FETCH_BODY_MAX);
    struct got g = get(w, url_of(w->plain, "http", "/big"), 0);
    assert_true(g.reply);
    assert_int_equal(g.len, FETCH_BODY_MAX);

    set_body(http_stub_rule(w->plain, 0), 'a', FETCH_BODY_MAX + 1);
    g = get(w, url_of(w->plain, "http", "/big"), 0);
    assert_false(g.reply);
    assert_int_equal(g.failure, FAIL_UPSTREAM_ERROR);
    assert_non_null(strstr(g.detail, "262144"));

    http_stub_rule(w->plain, 0)->how = STUB_CHUNKED; /* without end, without a length */
    g = get(w, url_of(w->plain, "http", "/big"), 0);
    assert_int_equal(g.failure, FAIL_UPSTREAM_ERROR);
}

/* Whatever comes behind the head, or never comes, takes nothing back. */
static void test_a_status_is_enough(void **state)
{
    struct world *w = *state;
    const struct fetch_limits limits = {.timeout_ms = PATIENT_MS, .status_only = true};
    const enum stub_how hows[] = {STUB_ANSWER, STUB_CHUNKED, STUB_DRIP, STUB_RESET};
    http_stub_say(w->plain, 0, "/big", 429, "");
    snprintf(http_stub_rule(w->plain, 0)->headers, 100, "Retry-After: 7\r\n");
    set_body(http_stub_rule(w->plain, 0), 'a', FETCH_BODY_MAX + 1);
    for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
        struct got g = {0};
        struct http_request rq = {.url = {0}};
        struct err err;
        http_stub_rule(w->plain, 0)->how = hows[i];
        buf_adds(&rq.url, url_of(w->plain, "http", "/big"));
        assert_non_null(fetch_start(w->fetch, &rq, &limits, on_done, &g, &err));
        http_request_fini(&rq);
        while (g.calls == 0)
            uv_run(&w->loop, UV_RUN_ONCE);
        assert_true(g.reply);
        assert_int_equal(g.status, 429);
        assert_int_equal(g.retry_after_s, 7);
        assert_int_equal(g.len, 0);
    }
}

static void test_header_flood(void **state)
{
    struct world *w = *state;
    http_stub_say(w->plain, 0, "/flood", 200, "x");
    char *h = http_stub_rule(w->plain, 0)->headers;
    for (int i = 0; i < 170; i++)
        h += sprintf(h, "X-%03d: %0100d\r\n", i, i);
    struct got g = get(w, url_of(w->plain, "http", "/flood"), 0);
    assert_int_equal(g.failure, FAIL_UPSTREAM_ERROR);
    assert_non_null(strstr(g.detail, "headers"));
}

static void load_output(struct stub_rule *r, const char *command)
{
    FILE *p = popen(command, "r");
    assert_non_null(p);
    r->body_len = fread(r->body, 1, sizeof r->body, p);
    assert_int_equal(pclose(p), 0);
}

static void test_gzip(void **state)
{
    struct world *w = *state;
    http_stub_say(w->plain, 0, "/z", 200, "");
    struct stub_rule *r = http_stub_rule(w->plain, 0);
    strcpy(r->headers, "Content-Encoding: gzip\r\n");
    load_output(r, "printf '{\"zipped\":true}' | gzip -c");
    struct got g = get(w, url_of(w->plain, "http", "/z"), 0);
    assert_string_equal(g.body, "{\"zipped\":true}");

    load_output(r, "head -c 50000000 /dev/zero | gzip -c");
    assert_true(r->body_len < 100000); /* the bomb is small on the wire */
    g = get(w, url_of(w->plain, "http", "/z"), 0);
    assert_int_equal(g.failure, FAIL_UPSTREAM_ERROR);
    assert_non_null(strstr(g.detail, "262144"));
}

static void test_time_out(void **state)
{
    struct world *w = *state;
    http_stub_say(w->plain, 0, "/hang", 200, "");
    http_stub_rule(w->plain, 0)->how = STUB_HANG;
    http_stub_say(w->plain, 1, "/drip", 200, "0123456789012345678901234567890123456789");
    http_stub_rule(w->plain, 1)->how = STUB_DRIP; /* 2 s in all */
    struct got g = get(w, url_of(w->plain, "http", "/hang"), 200);
    assert_int_equal(g.failure, FAIL_TIMEOUT);
    g = get(w, url_of(w->plain, "http", "/drip"), 300);
    assert_int_equal(g.failure, FAIL_TIMEOUT);
    g = get(w, url_of(w->plain, "http", "/drip"), 60000); /* and with more time it arrives */
    assert_int_equal(g.len, 40);
}

static void test_broken_off(void **state)
{
    struct world *w = *state;
    http_stub_say(w->plain, 0, "/reset", 200, "0123456789");
    http_stub_rule(w->plain, 0)->how = STUB_RESET;
    http_stub_say(w->plain, 1, "/close", 200, "");
    http_stub_rule(w->plain, 1)->how = STUB_CLOSE;
    struct got g = get(w, url_of(w->plain, "http", "/reset"), 0);
    assert_false(g.reply);
    assert_int_equal(g.failure, FAIL_UPSTREAM_ERROR);
    g = get(w, url_of(w->plain, "http", "/close"), 0); /* not one byte of an answer */
    assert_int_equal(g.failure, FAIL_CONNECT);
}

static void test_refused_and_unknown(void **state)
{
    struct world *w = *state;
    struct http_stub *gone = http_stub_new(NULL, NULL);
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/?apikey=SECRET", http_stub_port(gone));
    http_stub_free(gone);
    struct got g = get(w, url, 0);
    assert_int_equal(g.failure, FAIL_CONNECT);
    assert_null(strstr(g.detail, "SECRET"));
    g = get(w, "https://no-such-host.invalid/?apikey=SECRET", 2000);
    assert_int_equal(g.failure, FAIL_DNS);
    assert_null(strstr(g.detail, "SECRET"));
}

static void test_public_only(void **state)
{
    struct world *w = *state;
    struct http_request rq = {.url = {0}};
    const struct fetch_limits limits = {.public_only = true};
    struct got g = {0};
    struct err err;
    http_stub_say(w->plain, 0, "/", 200, "hello");
    buf_addf(&rq.url, "http://localhost:%d/", http_stub_port(w->plain));
    assert_non_null(fetch_start(w->fetch, &rq, &limits, on_done, &g, &err));
    while (g.calls == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_false(g.reply);
    assert_int_equal(g.failure, FAIL_CONNECT);
    assert_non_null(strstr(g.detail, "is no public address"));
    assert_int_equal(http_stub_count(w->plain), 0);
    g = get(w, rq.url.p, 0); /* without the limit it is as good as any */
    assert_true(g.reply);
    http_request_fini(&rq);
}

static void test_tls(void **state)
{
    struct world *w = *state;
    http_stub_say(w->good, 0, "/s", 200, "secret");
    http_stub_say(w->other, 0, "/s", 200, "wrong host");
    struct got g = get(w, url_of(w->good, "https", "/s"), 0);
    assert_string_equal(g.body, "secret");
    g = get(w, url_of(w->good, "https", "/s"), 0);
    assert_int_equal(g.status, 200);
    g = get(w, url_of(w->other, "https", "/s"), 0);
    assert_false(g.reply);
    assert_int_equal(g.failure, FAIL_TLS);
    assert_int_equal(http_stub_count(w->other), 0);
}

static void test_tls_unknown_authority(void **state)
{
    struct world *w = *state;
    struct world strange = {.good = w->good};
    struct err err;
    char *ca = strdup(getenv("SSL_CERT_FILE"));
    unsetenv("SSL_CERT_FILE");
    unsetenv("CURL_CA_BUNDLE");
    uv_loop_init(&strange.loop);
    strange.fetch = fetch_new(&strange.loop, &err);
    struct got g = get(&strange, url_of(w->good, "https", "/s"), 0);
    assert_int_equal(g.failure, FAIL_TLS);
    fetch_close(strange.fetch, NULL, NULL);
    uv_run(&strange.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&strange.loop), 0);
    setenv("SSL_CERT_FILE", ca, 1);
    setenv("CURL_CA_BUNDLE", "/dev/null", 1);
    free(ca);
}

static void test_bad_requests(void **state)
{
    struct world *w = *state;
    struct got g = {0};
    assert_null(begin(w, "http://127.0.0.1/\r\nX: y", "", 0, &g));
    assert_null(begin(w, "http://127.0.0.1/", "A: b\rEvil: c\n", 0, &g));
    assert_int_equal(g.calls, 0);
    g = get(w, "ftp://127.0.0.1/", 0); /* nothing but https and http */
    assert_int_equal(g.failure, FAIL_UPSTREAM_ERROR);
    g = get(w, "file:///etc/passwd", 0);
    assert_int_equal(g.failure, FAIL_UPSTREAM_ERROR);
}

struct pair {
    struct got first, second;
    struct fetch_job *other;
    struct world *w;
};

static void cancel_other(void *ctx, const struct http_reply *reply, enum failure failure,
                         const char *detail)
{
    struct pair *p = ctx;
    on_done(&p->first, reply, failure, detail);
    fetch_cancel(p->other);
    assert_non_null(begin(p->w, url_of(p->w->plain, "http", "/fast"), "", 0, &p->second));
}

/* From inside done: another job is cancelled, a new one started. */
static void test_cancel(void **state)
{
    struct world *w = *state;
    struct pair p = {.w = w};
    struct got never = {0};
    struct http_request rq = {.url = {0}};
    http_stub_say(w->plain, 0, "/hang", 200, "");
    http_stub_rule(w->plain, 0)->how = STUB_HANG;
    http_stub_say(w->plain, 1, "/fast", 200, "ok");
    p.other = begin(w, url_of(w->plain, "http", "/hang"), "", 0, &never);
    buf_adds(&rq.url, url_of(w->plain, "http", "/fast"));
    assert_non_null(fetch_start(w->fetch, &rq, NULL, cancel_other, &p, NULL));
    buf_fini(&rq.url);
    while (p.second.calls == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(p.first.calls, 1);
    assert_string_equal(p.second.body, "ok");
    assert_int_equal(never.calls, 0);
}

static void close_in_done(void *ctx, const struct http_reply *reply, enum failure failure,
                          const char *detail)
{
    struct world *w = ctx;
    (void)failure;
    (void)detail;
    assert_non_null(reply);
    fetch_close(w->fetch, NULL, NULL);
    w->fetch = NULL;
}

static void test_close_under_way(void **state)
{
    struct world *w = *state, x = {.plain = w->plain};
    struct got never = {0};
    struct http_request rq = {.url = {0}};
    http_stub_say(w->plain, 0, "/hang", 200, "");
    http_stub_rule(w->plain, 0)->how = STUB_HANG;
    http_stub_say(w->plain, 1, "/fast", 200, "ok");
    uv_loop_init(&x.loop);
    x.fetch = fetch_new(&x.loop, NULL);
    assert_non_null(begin(&x, url_of(w->plain, "http", "/hang"), "", 0, &never));
    buf_adds(&rq.url, url_of(w->plain, "http", "/fast"));
    assert_non_null(fetch_start(x.fetch, &rq, NULL, close_in_done, &x, NULL));
    buf_fini(&rq.url);
    uv_run(&x.loop, UV_RUN_DEFAULT); /* ends: nothing keeps the loop alive */
    assert_null(x.fetch);
    assert_int_equal(never.calls, 0);
    assert_int_equal(uv_loop_close(&x.loop), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_reply),
        TEST(test_request_headers),
        TEST(test_body),
        TEST(test_large_body),
        TEST(test_retry_after_date),
        TEST(test_redirect_is_not_followed),
        TEST(test_oversize),
        TEST(test_a_status_is_enough),
        TEST(test_header_flood),
        TEST(test_gzip),
        TEST(test_time_out),
        TEST(test_broken_off),
        TEST(test_refused_and_unknown),
        TEST(test_public_only),
        TEST(test_tls),
        TEST(test_tls_unknown_authority),
        TEST(test_bad_requests),
        TEST(test_cancel),
        TEST(test_close_under_way),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
