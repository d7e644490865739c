#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "request.h"
#include "seed.h"
#include "ws_handshake.h"

static void bodies_are_measured_strictly(void **state)
{
    (void)state;
    static const struct {
        enum method method;
        const char *length, *encoding;
        enum body body;
        size_t len;
    } cases[] = {
        {METHOD_GET,   NULL,                   NULL,       BODY_NONE,    0    },
        {METHOD_OTHER, NULL,                   NULL,       BODY_NONE,    0    },
        {METHOD_POST,  NULL,                   NULL,       BODY_UNSAID,  0    },
        {METHOD_PUT,   NULL,                   NULL,       BODY_UNSAID,  0    },
        {METHOD_POST,  "0",                    NULL,       BODY_EMPTY,   0    },
        {METHOD_POST,  "12",                   NULL,       BODY_EXACT,   12   },
        {METHOD_POST,  " 12 ",                 NULL,       BODY_EXACT,   12   },
        {METHOD_POST,  "65536",                NULL,       BODY_EXACT,   65536},
        {METHOD_POST,  "65537",                NULL,       BODY_TOO_BIG, 65537},
        {METHOD_POST,  "-1",                   NULL,       BODY_BAD,     0    },
        {METHOD_POST,  "+1",                   NULL,       BODY_BAD,     0    },
        {METHOD_POST,  "",                     NULL,       BODY_BAD,     0    },
        {METHOD_POST,  "5,5",                  NULL,       BODY_BAD,     5    },
        {METHOD_POST,  "5, 5",                 NULL,       BODY_BAD,     5    },
        {METHOD_POST,  "0x10",                 NULL,       BODY_BAD,     0    },
        {METHOD_POST,  "1e3",                  NULL,       BODY_BAD,     1    },
        {METHOD_POST,  "18446744073709551616", NULL,       BODY_BAD,     0    },
        {METHOD_POST,  "5",                    "chunked",  BODY_BAD,     0    },
        {METHOD_POST,  NULL,                   "identity", BODY_BAD,     0    },
        {METHOD_GET,   NULL,                   "",         BODY_BAD,     0    },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request r = {.method = cases[i].method,
                            .content_length = cases[i].length,
                            .transfer_encoding = cases[i].encoding};
        size_t len;
        char seed[100];
        snprintf(seed, sizeof seed, "\n\n\n\n\n\n%s\nW/\"a\", *",
                 cases[i].length ? cases[i].length : "");
        seed_keep_text("caller", seed);
        enum body body = request_body(&r, 65536, &len);
        if (body != cases[i].body || (body != BODY_BAD && len != cases[i].len))
            fail_msg("case %zu: %d, %zu", i, (int)body, len);
    }
}

static void more_comes_only_where_the_library_reads_on(void **state)
{
    (void)state;
    struct request post = {.method = METHOD_POST}, get = {.method = METHOD_GET};
    assert_true(request_more_comes(&post, BODY_UNSAID));
    assert_true(request_more_comes(&post, BODY_EMPTY));
    assert_true(request_more_comes(&get, BODY_EXACT));
    assert_true(request_more_comes(&post, BODY_TOO_BIG));
    assert_false(request_more_comes(&get, BODY_EMPTY));
    assert_false(request_more_comes(&get, BODY_NONE));
    assert_false(request_more_comes(&post, BODY_BAD));
}

static void arguments_are_found(void **state)
{
    (void)state;
    struct request r = {
        .args = {"symbols=a,b", "token", "symbols=c", "x=", "tokens=no"},
          .args_len = 5
    };
    assert_string_equal(request_arg(&r, "symbols"), "a,b");
    assert_string_equal(request_arg(&r, "token"), "");
    assert_string_equal(request_arg(&r, "x"), "");
    assert_null(request_arg(&r, "symbol"));
    assert_null(request_arg(&r, "none"));
}

static void entity_tags_match(void **state)
{
    (void)state;
    assert_true(request_etag_matches("\"a\"", "\"a\""));
    assert_true(request_etag_matches("\"b\", \"a\"", "\"a\""));
    assert_true(request_etag_matches("W/\"a\"", "\"a\""));
    assert_true(request_etag_matches("*", "\"a\""));
    assert_false(request_etag_matches("\"b\"", "\"a\""));
    assert_false(request_etag_matches("a", "\"a\""));
    assert_false(request_etag_matches("", "\"a\""));
    assert_false(request_etag_matches(NULL, "\"a\""));
}

static void gzip_is_asked_for_by_name(void **state)
{
    (void)state;
    assert_true(request_accepts_gzip("gzip"));
    assert_true(request_accepts_gzip("deflate, GZIP ;q=0.5, br"));
    assert_true(request_accepts_gzip("br,gzip; q=0.001"));
    assert_true(request_accepts_gzip("gzip;x=1"));
    assert_false(request_accepts_gzip("gzip;q=0"));
    assert_false(request_accepts_gzip("gzip ; Q=0.000, br"));
    assert_false(request_accepts_gzip("x-gzip, gzipped, *"));
    assert_false(request_accepts_gzip("identity"));
    assert_false(request_accepts_gzip(""));
    assert_false(request_accepts_gzip(NULL));
}

static void lists_are_searched(void **state)
{
    (void)state;
    assert_true(request_list_has("keep-alive, Upgrade", "upgrade"));
    assert_true(request_list_has("upgrade", "upgrade"));
    assert_false(request_list_has("upgraded", "upgrade"));
    assert_false(request_list_has("", "upgrade"));
    assert_false(request_list_has(NULL, "upgrade"));
}

static void websocket_keys_are_checked(void **state)
{
    (void)state;
    assert_true(ws_key_ok("dGhlIHNhbXBsZSBub25jZQ=="));
    assert_false(ws_key_ok(""));
    assert_false(ws_key_ok("dGhlIHNhbXBsZSBub25jZQ="));
    assert_false(ws_key_ok("dGhlIHNhbXBsZSBub25jZQ==="));
    assert_false(ws_key_ok("dGhlIHNhbXBsZSBub25jZ*=="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_measured_strictly),
        cmocka_unit_test(more_comes_only_where_the_library_reads_on),
        cmocka_unit_test(arguments_are_found),
        cmocka_unit_test(entity_tags_match),
        cmocka_unit_test(gzip_is_asked_for_by_name),
        cmocka_unit_test(lists_are_searched),
        cmocka_unit_test(websocket_keys_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
