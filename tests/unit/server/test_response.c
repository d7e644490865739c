#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "response.h"

static char *render(const struct response *r, const struct response_frame *frame)
{
    struct buf out = {0};
    response_render(r, frame, &out);
    assert_false(out.failed);
    return buf_take(&out, NULL);
}

static void set_text(struct response *r, const char *text)
{
    r->status = 200;
    r->type = "text/plain";
    buf_adds(&r->body, text);
}

static void an_answer_carries_length_and_security(void **state)
{
    (void)state;
    struct response r = {0};
    set_text(&r, "hello");
    char *text = render(&r, &(struct response_frame){0});
    assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Length: 5\r\n"));
    assert_non_null(strstr(text, "\r\nConnection: keep-alive\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Security-Policy: default-src 'none'; script-src "
                                 "'self'; style-src 'self'; img-src 'self'; connect-src "
                                 "'self'; base-uri 'none'"));
    assert_non_null(strstr(text, "\r\nX-Frame-Options: DENY\r\n"));
    assert_non_null(strstr(text, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(text, "\r\nReferrer-Policy: no-referrer\r\n"));
    assert_null(strstr(text, "Strict-Transport-Security"));
    assert_non_null(strstr(text, "\r\n\r\nhello"));
    free(text);
    text = render(&r, &(struct response_frame){.head = true, .close = true, .tls = true});
    assert_non_null(strstr(text, "\r\nContent-Length: 5\r\n"));
    assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(text, "\r\nStrict-Transport-Security: max-age="));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
    free(text);
    response_fini(&r);
}

static void a_header_cannot_be_split(void **state)
{
    (void)state;
    struct response r = {0};
    response_header(&r, "X-A", "%s", "1\r\nX-B: 2");
    response_header(&r, "X-C", "%s", "3");
    assert_string_equal(r.headers.p, "X-C: 3\r\n");
    response_fini(&r);
}

static void a_problem_is_valid_json_whatever_it_says(void **state)
{
    (void)state;
    struct response r = {0};
    set_text(&r, "half an answer");
    response_problem(&r, 404, "no \"symbol\" \n\xff here", ",\"symbols\":[\"A\"]");
    json_t *j = json_loads(r.body.p, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_string_equal(r.type, "application/problem+json");
    assert_string_equal(json_string_value(json_object_get(j, "title")), "Not Found");
    assert_string_equal(json_string_value(json_object_get(j, "type")), "about:blank");
    assert_int_equal(json_integer_value(json_object_get(j, "status")), 404);
    assert_non_null(json_object_get(j, "detail"));
    assert_int_equal(json_array_size(json_object_get(j, "symbols")), 1);
    json_decref(j);
    response_fini(&r);
}

static void etag_of(const char *body, char out[static 32])
{
    struct response r = {0};
    set_text(&r, body);
    response_etag(&r, NULL);
    assert_int_equal(r.status, 200);
    assert_int_equal(sscanf(r.headers.p, "ETag: %31s", out), 1);
    response_fini(&r);
}

static void the_etag_follows_the_body(void **state)
{
    (void)state;
    char a[32], b[32], c[32];
    etag_of("{\"state\":\"live\"}", a);
    etag_of("{\"state\":\"stale\"}", b);
    etag_of("{\"state\":\"live\"}", c);
    assert_string_not_equal(a, b);
    assert_string_equal(a, c);
    assert_int_equal(strlen(a), 18);

    struct response r = {0};
    set_text(&r, "{\"state\":\"live\"}");
    response_etag(&r, a);
    assert_int_equal(r.status, 304);
    char *text = render(&r, &(struct response_frame){0});
    assert_non_null(strstr(text, "HTTP/1.1 304 Not Modified\r\n"));
    assert_non_null(strstr(text, a));
    assert_null(strstr(text, "Content-Length"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
    free(text);
    response_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_carries_length_and_security),
        cmocka_unit_test(a_header_cannot_be_split),
        cmocka_unit_test(a_problem_is_valid_json_whatever_it_says),
        cmocka_unit_test(the_etag_follows_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
