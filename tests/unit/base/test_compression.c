/* Messages there and back, also with a peer of another kind: zlib used as a browser uses it, with a
 * state that goes on from message to message, and blocks that end for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "compression.h"

enum { PLENTY = 1 << 20 };

/* Text of which each piece resembles those before, as quotes do. */
static void add_text(struct buf *b, size_t len, unsigned seed)
{
    unsigned x = seed * 2654435761U + 1;
    while (b->len < len) {
        x = x * 1664525U + 1013904223U;
        buf_addf(b, "{\"symbol\":\"S%u\",\"price\":%u.%02u,\"state\":\"live\"},", x >> 28, x >> 16,
                 (x >> 8) % 100);
    }
    b->len = len;
}

static void test_there_and_back(void **state)
{
    static const size_t lens[] = {200, 201, 1000, 4095, 4096, 4097, 65536, 1000003};
    struct compressor *c = compressor_new();
    struct decompressor *d = decompressor_new();
    (void)state;
    assert_non_null(c);
    assert_non_null(d);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct buf text = {0}, message = {0}, out = {0};
        add_text(&text, lens[i], (unsigned)i);
        buf_adds(&message, "head");
        buf_add(&message, text.p, text.len);
        assert_true(compressor_replace(c, &message, 4));
        assert_memory_equal(message.p, "head", 4);
        assert_true(message.len < 4 + text.len);
        buf_adds(&out, "before");
        assert_int_equal(
            decompressor_message(d, NULL, message.p + 4, message.len - 4, lens[i], &out),
            DECOMPRESS_OK);
        assert_int_equal(out.len, 6 + text.len);
        assert_memory_equal(out.p + 6, text.p, text.len);
        buf_fini(&text);
        buf_fini(&message);
        buf_fini(&out);
    }
    compressor_free(c);
    decompressor_free(d);
}

static void test_what_does_not_shrink_stays(void **state)
{
    struct compressor *c = compressor_new();
    struct buf b = {0};
    (void)state;
    assert_non_null(c);
    unsigned x = 1;
    for (int i = 0; i < 300; i++)
        buf_addc(&b, (char)((x = x * 1664525U + 1013904223U) >> 24));
    char *before = malloc(b.len);
    assert_non_null(before);
    memcpy(before, b.p, b.len);
    assert_false(compressor_replace(c, &b, 0));
    assert_int_equal(b.len, 300);
    assert_memory_equal(b.p, before, 300);
    free(before);
    buf_fini(&b);
    compressor_free(c);
}

/* --- a peer that remembers --- */

struct peer {
    z_stream z;
};

static void peer_init(struct peer *p, int window_bits)
{
    memset(p, 0, sizeof *p);
    assert_int_equal(deflateInit2(&p->z, 6, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
}

/* flush: Z_SYNC_FLUSH; or Z_FINISH, after which the stream begins anew behind a zero byte. */
static void peer_says(struct peer *p, struct buf *message, const char *text, size_t len, int flush)
{
    size_t room = deflateBound(&p->z, len) + 64;
    buf_clear(message);
    p->z.next_in = (unsigned char *)(uintptr_t)text;
    p->z.avail_in = (unsigned)len;
    p->z.next_out = (unsigned char *)buf_reserve(message, room);
    p->z.avail_out = (unsigned)room;
    int rc = deflate(&p->z, flush);
    assert_int_equal(rc, flush == Z_FINISH ? Z_STREAM_END : Z_OK);
    message->len = room - p->z.avail_out;
    if (flush == Z_FINISH) {
        buf_addc(message, '\0');
        assert_int_equal(deflateReset(&p->z), Z_OK);
    } else {
        message->len -= 4;
    }
}

static void test_a_peer_that_refers_to_what_it_said(void **state)
{
    struct decompressor *d = decompressor_new();
    struct decompress_window window = {0};
    struct buf message = {0}, out = {0};
    struct peer p;
    size_t first = 0;
    (void)state;
    assert_non_null(d);
    peer_init(&p, 15);
    for (unsigned i = 0; i < 60; i++) {
        struct buf text = {0};
        add_text(&text, i == 50 ? 50000 : 100 + 37 * i, i % 3 == 0 ? 0 : i);
        peer_says(&p, &message, text.p, text.len, i % 7 == 6 ? Z_FINISH : Z_SYNC_FLUSH);
        if (i == 0)
            first = message.len;
        if (i == 3) /* the same beginning as the first: not said again */
            assert_true(message.len < first + 100);
        buf_clear(&out);
        assert_int_equal(decompressor_message(d, &window, message.p, message.len, PLENTY, &out),
                         DECOMPRESS_OK);
        assert_int_equal(out.len, text.len);
        assert_memory_equal(out.p, text.p, text.len);
        assert_true(window.len <= 32768);
        buf_fini(&text);
    }
    assert_int_equal(window.len, 32768);
    deflateEnd(&p.z);
    decompress_window_fini(&window);
    buf_fini(&message);
    buf_fini(&out);
    decompressor_free(d);
}

/* Two peers by turns at one decompressor: neither sees the other's words. */
static void test_peers_are_apart(void **state)
{
    static const char a[] = "aaaa bbbb cccc dddd eeee ffff aaaa bbbb cccc dddd";
    static const char b[] = "zzzz yyyy xxxx wwww vvvv uuuu zzzz yyyy xxxx wwww";
    struct decompressor *d = decompressor_new();
    struct decompress_window window_a = {0}, window_b = {0};
    struct buf message = {0}, out = {0};
    struct peer p, q;
    (void)state;
    assert_non_null(d);
    peer_init(&p, 15);
    peer_init(&q, 9);
    for (int i = 0; i < 10; i++) {
        buf_clear(&out);
        peer_says(&p, &message, a, sizeof a - 1, Z_SYNC_FLUSH);
        assert_int_equal(decompressor_message(d, &window_a, message.p, message.len, PLENTY, &out),
                         0);
        assert_string_equal(out.p, a);
        buf_clear(&out);
        peer_says(&q, &message, b, sizeof b - 1, Z_SYNC_FLUSH);
        assert_int_equal(decompressor_message(d, &window_b, message.p, message.len, PLENTY, &out),
                         0);
        assert_string_equal(out.p, b);
    }
    /* What refers to a window that is not there is refused, not guessed. */
    peer_says(&p, &message, a, sizeof a - 1, Z_SYNC_FLUSH);
    buf_clear(&out);
    assert_int_equal(decompressor_message(d, NULL, message.p, message.len, PLENTY, &out),
                     DECOMPRESS_BAD);
    deflateEnd(&p.z);
    deflateEnd(&q.z);
    decompress_window_fini(&window_a);
    decompress_window_fini(&window_b);
    buf_fini(&message);
    buf_fini(&out);
    decompressor_free(d);
}

static void test_limits(void **state)
{
    struct decompressor *d = decompressor_new();
    struct buf zeros = {0}, message = {0}, out = {0};
    struct decompress_window window = {0};
    struct peer p;
    (void)state;
    assert_non_null(d);
    assert_non_null(buf_reserve(&zeros, 64 << 20));
    memset(zeros.p, 0, 64 << 20);
    peer_init(&p, 15);
    peer_says(&p, &message, zeros.p, 64 << 20, Z_SYNC_FLUSH);
    assert_true(message.len < 100000);
    assert_int_equal(decompressor_message(d, &window, message.p, message.len, 4096, &out),
                     DECOMPRESS_TOO_BIG);
    assert_true(out.cap < 65536); /* stopped where the limit was passed */
    deflateEnd(&p.z);
    for (size_t len = 4090; len < 4103; len++) {
        peer_init(&p, 15);
        peer_says(&p, &message, zeros.p, len, Z_SYNC_FLUSH);
        buf_clear(&out);
        enum decompress_verdict v =
            decompressor_message(d, NULL, message.p, message.len, 4096, &out);
        assert_int_equal(v, len <= 4096 ? DECOMPRESS_OK : DECOMPRESS_TOO_BIG);
        if (v == DECOMPRESS_OK)
            assert_int_equal(out.len, len);
        deflateEnd(&p.z);
    }
    buf_fini(&zeros);
    buf_fini(&message);
    buf_fini(&out);
    decompress_window_fini(&window);
    decompressor_free(d);
}

static void test_broken_messages(void **state)
{
    struct decompressor *d = decompressor_new();
    struct buf text = {0}, message = {0}, out = {0};
    struct peer p;
    (void)state;
    assert_non_null(d);
    add_text(&text, 500, 1);
    peer_init(&p, 15);
    peer_says(&p, &message, text.p, text.len, Z_SYNC_FLUSH);
    deflateEnd(&p.z);
    /* Every shorter one is refused, whatever its tail then means. */
    for (size_t len = 0; len < message.len; len++) {
        buf_clear(&out);
        enum decompress_verdict v = decompressor_message(d, NULL, message.p, len, PLENTY, &out);
        if (v == DECOMPRESS_OK)
            assert_int_equal(out.len, 0); /* nothing at all is an empty message */
    }
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"\x07",                         1}, /* no such kind of block */
        {"\x03\x00",                     2}, /* ended for good, and no zero byte */
        {"\x03\x00\x03\x00\x03\x00\x00", 7}, /* ended three times */
        {"\x01\x05\x00\xFA\xFFhel",      8}, /* a stored block of five that has three */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_clear(&out);
        assert_int_equal(decompressor_message(d, NULL, rows[i].bytes, rows[i].len, PLENTY, &out),
                         DECOMPRESS_BAD);
    }
    buf_clear(&out);
    assert_int_equal(decompressor_message(d, NULL, "\x03\x00\x00", 3, PLENTY, &out),
                     DECOMPRESS_OK); /* as it should end */
    /* Afterwards it works as before. */
    buf_clear(&out);
    assert_int_equal(decompressor_message(d, NULL, message.p, message.len, PLENTY, &out),
                     DECOMPRESS_OK);
    assert_memory_equal(out.p, text.p, text.len);
    buf_fini(&text);
    buf_fini(&message);
    buf_fini(&out);
    decompressor_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_what_does_not_shrink_stays),
        cmocka_unit_test(test_a_peer_that_refers_to_what_it_said),
        cmocka_unit_test(test_peers_are_apart),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_broken_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
