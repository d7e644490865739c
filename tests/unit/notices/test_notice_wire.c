/* Mails and webhooks as bytes: whatever the text is, the envelope stays whole. */
#include "notice_wire.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jsonx.h"

static const int64_t NOW_MS = 1767225661000;

static char *mail(const char *subject, const char *text, struct buf *out)
{
    static const char *const to[] = {"ops@example.com", "two@example.com"};
    const struct notice_mail m = {.from = "gate@example.com",
                                  .to = to,
                                  .to_len = 2,
                                  .subject = subject,
                                  .text = text,
                                  .wall_ms = NOW_MS,
                                  .series = NOW_MS + 1, /* its date may be another one each time */
                                  .number = 17};
    buf_clear(out);
    notice_wire_mail(&m, out);
    assert_false(out->failed);
    return out->p;
}

static void test_a_mail(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_string_equal(mail("[pricegate desk] a test", "one\n.\n..two = 2 \n", &b),
                        "Date: Thu, 01 Jan 2026 00:01:01 +0000\r\n"
                        "From: pricegate <gate@example.com>\r\n"
                        "To: <ops@example.com>,\r\n <two@example.com>\r\n"
                        "Subject: [pricegate desk] a test\r\n"
                        "Message-ID: <19b76db9649.11.pricegate@example.com>\r\n"
                        "Auto-Submitted: auto-generated\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n"
                        "\r\n"
                        "one\r\n.\r\n..two =3D 2=20\r\n");
    buf_fini(&b);
}

/* Only ASCII, no line longer than 78 bytes, each CR before an LF and each LF behind a CR. */
static void is_clean(const char *p)
{
    size_t column = 0;
    for (const char *at = p; *at; at++) {
        if (*at == '\n') {
            assert_true(at > p && at[-1] == '\r');
            column = 0;
            continue;
        }
        if (*at == '\r')
            assert_int_equal(at[1], '\n');
        else
            assert_true((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7F);
        assert_true(++column <= 77);
    }
}

static void test_subjects_of_any_characters(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_non_null(strstr(mail("caf\xC3\xA9", "x", &b), "Subject: =?UTF-8?B?Y2Fmw6k=?=\r\n"));
    assert_non_null(strstr(mail("=?x?=", "x", &b), "Subject: =?UTF-8?B?PT94Pz0=?=\r\n"));
    assert_non_null(
        strstr(mail("a\r\nBcc: b@c", "x", &b), "Subject: =?UTF-8?B?YQ0KQmNjOiBiQGM=?=\r\n"));
    assert_null(strstr(b.p, "\nBcc"));
    /* The character at the end of the first word is not torn. */
    static const char longer[] =
        "0123456789012345678901234567890123 123\xE2\x82\xAC and a second word";
    assert_non_null(
        strstr(mail(longer, "x", &b),
               "Subject: =?UTF-8?B?MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMyAxMjM=?=\r\n"
               " =?UTF-8?B?4oKsIGFuZCBhIHNlY29uZCB3b3Jk?=\r\n"));
    is_clean(b.p);
    buf_fini(&b);
}

static void test_any_text_stays_within_its_lines(void **state)
{
    (void)state;
    struct buf b = {0}, text = {0};
    uint32_t x = 1;
    for (int round = 0; round < 300; round++) {
        buf_clear(&text);
        for (int i = 0; i < 400; i++) {
            x = x * 1664525 + 1013904223;
            char c = (char)(x >> 24);
            buf_addc(&text, x >> 24 == 0 ? '.' : (x >> 24) % 3 ? c : ".\n= "[(x >> 24) / 3 % 4]);
        }
        is_clean(mail("x", text.p, &b));
        /* And all of it is there. */
        const char *p = strstr(b.p, "\r\n\r\n") + 4;
        size_t n = 0;
        while (*p) {
            char c = *p++;
            if (c == '=' && *p == '\r') {
                p += 2;
                continue;
            }
            if (c == '=') {
                char hex[3] = {p[0], p[1], '\0'};
                c = (char)strtol(hex, NULL, 16);
                p += 2;
            }
            if (c == '\r' && *p == '\n' && p[-1] == '\r') {
                p++;
                c = '\n';
            }
            assert_true(n < text.len);
            assert_int_equal(c, text.p[n++]);
        }
        assert_int_equal(n, text.len);
    }
    buf_fini(&b);
    buf_fini(&text);
}

static void test_a_webhook(void **state)
{
    (void)state;
    struct buf b = {0};
    notice_wire_webhook("a \"b\"", "<!channel> & c\n\xFF\n\n", &b);
    assert_string_equal(
        b.p, "{\"text\":\"a \\\"b\\\"\\u000a\\u000a&lt;!channel&gt; &amp; c\\u000a\xEF\xBF\xBD\"}");
    json_t *root = jsonx_parse(b.p, b.len, 1000, NULL);
    assert_non_null(root);
    json_decref(root);
    buf_clear(&b);
    notice_wire_webhook("[desk] failure: x", "failure: x\n  since: y\n", &b);
    assert_string_equal(b.p, "{\"text\":\"[desk] failure: x\\u000a  since: y\"}");
    /* Nobody is called by a word; an address stays as it is. */
    buf_clear(&b);
    notice_wire_webhook("@here", "(@all) ops@example.com @", &b);
    assert_string_equal(b.p, "{\"text\":\"@\u200Bhere\\u000a\\u000a(@\u200Ball) "
                             "ops@example.com @\u200B\"}");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mail),
        cmocka_unit_test(test_subjects_of_any_characters),
        cmocka_unit_test(test_any_text_stays_within_its_lines),
        cmocka_unit_test(test_a_webhook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
