/* A 304 stands for the reply that was kept, and for nothing else. */
#include "kept_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char URL[] = "https://api.frankfurter.dev/v1/latest?base=EUR";

static struct http_reply reply(int status, const char *body, const char *etag)
{
    return (struct http_reply){
        .status = status, .body = body, .len = strlen(body), .retry_after_s = 7, .etag = etag};
}

/* The headers of the next request for url. */
static void expect_condition(const struct kept_reply *k, const char *url, const char *headers)
{
    struct http_request rq = {0};
    buf_adds(&rq.url, url);
    kept_reply_ask(k, &rq);
    assert_string_equal(rq.headers.p ? rq.headers.p : "", headers);
    http_request_fini(&rq);
}

static void a_304_is_the_reply_before(void **state)
{
    (void)state;
    struct kept_reply k = {0};
    struct http_reply first = reply(200, "{\"rates\":{}}", "W/\"a\""), same = reply(304, "", NULL),
                      out;
    expect_condition(&k, URL, "");
    assert_false(kept_reply_restore(&k, URL, &same, &out)); /* nothing is kept yet */
    kept_reply_keep(&k, URL, &first);
    first.body = "gone";
    expect_condition(&k, URL, "If-None-Match: W/\"a\"\n");
    assert_true(kept_reply_restore(&k, URL, &same, &out));
    assert_int_equal(out.status, 200);
    assert_string_equal(out.body, "{\"rates\":{}}");
    assert_int_equal(out.len, strlen("{\"rates\":{}}"));
    assert_int_equal(out.retry_after_s, 7); /* what the 304 itself says stays */
    kept_reply_fini(&k);
}

static void only_for_what_was_asked(void **state)
{
    (void)state;
    struct kept_reply k = {0};
    const struct http_reply first = reply(200, "x", "\"a\""), same = reply(304, "", NULL),
                            other = reply(200, "y", "\"b\"");
    struct http_reply out;
    kept_reply_keep(&k, URL, &first);
    expect_condition(&k, "https://api.frankfurter.dev/v1/latest", "");
    assert_false(kept_reply_restore(&k, "https://api.frankfurter.dev/v1/latest", &same, &out));
    assert_false(kept_reply_restore(&k, URL, &other, &out)); /* a 200 speaks for itself */
    kept_reply_keep(&k, URL, &other);
    expect_condition(&k, URL, "If-None-Match: \"b\"\n");
    kept_reply_fini(&k);
}

static void what_is_not_kept(void **state)
{
    (void)state;
    char long_tag[KEPT_ETAG_MAX + 2], longest[KEPT_ETAG_MAX + 1];
    memset(long_tag, 'e', sizeof long_tag - 1);
    long_tag[sizeof long_tag - 1] = '\0';
    memset(longest, 'e', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const struct {
        struct http_reply reply;
        bool kept;
    } rows[] = {
        {reply(200, "x", "\"a\""),  true },
        {reply(500, "x", "\"b\""),  true }, /* an error leaves what is there */
        {reply(200, "x", NULL),     false},
        {reply(200, "x", "\"a\""),  true },
        {reply(200, "x", ""),       false},
        {reply(200, "x", longest),  true },
        {reply(200, "x", long_tag), false},
        {reply(200, "",  "\"a\""),  false},
    };
    struct kept_reply k = {0};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_reply out, same = reply(304, "", NULL);
        kept_reply_keep(&k, URL, &rows[i].reply);
        assert_int_equal(kept_reply_restore(&k, URL, &same, &out), rows[i].kept);
    }
    kept_reply_fini(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_304_is_the_reply_before),
        cmocka_unit_test(only_for_what_was_asked),
        cmocka_unit_test(what_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
