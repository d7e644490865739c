/* Headers of each length, and data frames that keep the bytes of their items. */
#include "rig.h"

#include "frame.h"

static void test_header_lengths(void **state)
{
    static const struct {
        size_t len;
        unsigned char head[FRAME_HEADER_MAX];
        size_t head_len;
    } rows[] = {
        {0,     {0x81, 0},                           2 },
        {125,   {0x81, 125},                         2 },
        {126,   {0x81, 126, 0, 126},                 4 },
        {65535, {0x81, 126, 0xFF, 0xFF},             4 },
        {65536, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}, 10},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        char *text = malloc(rows[i].len + 1);
        assert_non_null(text);
        memset(text, 'x', rows[i].len + 1);
        buf_adds(&out, "before");
        frame_add_text(&out, text, rows[i].len);
        assert_int_equal(out.len, 6 + rows[i].head_len + rows[i].len);
        assert_memory_equal(out.p + 6, rows[i].head, rows[i].head_len);
        assert_memory_equal(out.p + 6 + rows[i].head_len, text, rows[i].len);
        free(text);
        buf_fini(&out);
    }
}

static void test_item_bytes_untouched(void **state)
{
    static const char bytes[] = "{ \"symbol\" : \"coffee\", \"price\" : 150.10,\n\t\"odd\":[1e5] }";
    struct rig r;
    struct bits ids;
    struct buf out = {0};
    (void)state;
    rig_init(&r);
    struct item *it =
        item_parse(bytes, sizeof bytes - 1, INSTRUMENT_QUOTE, "coffee", r.wall_ms, NULL);
    assert_non_null(it);
    assert_int_equal(fanout_item(r.f, COFFEE, it, r.wall_ms, r.mono_ns), FANOUT_TAKEN);
    assert_int_equal(bits_init(&ids, 4), 0);
    bits_set(&ids, COFFEE);
    bits_set(&ids, AAPL); /* has no item: drops out */
    assert_int_equal(frame_add_quotes(&out, &r.f->book, NULL, &ids, FRAME_FLUSH, NULL), 1);
    assert_false(bits_any(&ids));
    assert_non_null(memmem(out.p, out.len, bytes, sizeof bytes - 1));
    bits_fini(&ids);
    buf_fini(&out);
    item_unref(it);
    rig_fini(&r);
}

/* Prices and observations go in frames of their own; what holds nothing makes none. */
static void test_kinds_do_not_mix(void **state)
{
    static const char *const symbols[] = {"none", "coffee", "rain", "void", "tea", "frost", "gap"};
    static const enum instrument_kind kinds[] = {
        INSTRUMENT_OBSERVATION, INSTRUMENT_QUOTE,       INSTRUMENT_OBSERVATION, INSTRUMENT_QUOTE,
        INSTRUMENT_QUOTE,       INSTRUMENT_OBSERVATION, INSTRUMENT_QUOTE};
    static const char *const frames[] = {
        "{\"type\":\"quote\",\"snapshot\":true,\"data\":[{\"symbol\":\"coffee\",\"price\":",
        "{\"type\":\"observation\",\"snapshot\":true,\"data\":[{\"symbol\":\"rain\",\"value\":",
        "{\"type\":\"quote\",\"snapshot\":true,\"data\":[{\"symbol\":\"tea\",\"price\":",
        "{\"type\":\"observation\",\"snapshot\":true,\"data\":[{\"symbol\":\"frost\",\"value\":"};
    struct rig r;
    struct bits ids;
    struct buf out = {0};
    (void)state;
    rig_prepare(&r, symbols, ARRAY_LEN(symbols));
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++)
        r.instruments[i].kind = kinds[i];
    rig_start(&r);
    assert_int_equal(bits_init(&ids, ARRAY_LEN(symbols)), 0);
    for (int i = 0; i < (int)ARRAY_LEN(symbols); i++) {
        bits_set(&ids, i);
        if (i == 1 || i == 2 || i == 4 || i == 5)
            rig_quote(&r, i, "7");
    }
    for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
        buf_clear(&out);
        assert_true(bits_any(&ids)); /* and the last one leaves nothing behind */
        assert_int_equal(frame_add_quotes(&out, &r.f->book, NULL, &ids, FRAME_SNAPSHOT, NULL), 1);
        assert_memory_equal(out.p + 4, frames[i], strlen(frames[i]));
    }
    assert_false(bits_any(&ids));

    /* An empty one is of the kind of the first that was asked for. */
    bits_set(&ids, 0);
    bits_set(&ids, 3);
    buf_clear(&out);
    assert_int_equal(frame_add_quotes(&out, &r.f->book, NULL, &ids, FRAME_SNAPSHOT, NULL), 0);
    assert_memory_equal(out.p + 2, "{\"type\":\"observation\",", 22);
    assert_false(bits_any(&ids));
    buf_clear(&out);
    assert_int_equal(frame_add_quotes(&out, &r.f->book, NULL, &ids, FRAME_SNAPSHOT, NULL), 0);
    assert_memory_equal(out.p + 2, "{\"type\":\"quote\",", 16);
    bits_fini(&ids);
    buf_fini(&out);
    rig_fini(&r);
}

/* No payload is over the limit, and what did not fit is still in the set. */
static void test_cut(void **state)
{
    static char names[300][8];
    const char *symbols[300];
    char more[900];
    static struct rig r;
    struct bits ids;
    struct buf out = {0};
    size_t frames = 0, items = 0;
    (void)state;
    for (int i = 0; i < 300; i++) {
        snprintf(names[i], sizeof names[i], "S%d", i);
        symbols[i] = names[i];
    }
    rig_prepare(&r, symbols, 300);
    rig_start(&r);
    snprintf(more, sizeof more, ",\"pad\":\"%0*d\"", 800, 0);
    assert_int_equal(bits_init(&ids, 300), 0);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(rig_item(&r, i, "1", more), FANOUT_TAKEN);
        bits_set(&ids, i);
    }
    while (bits_any(&ids)) {
        buf_clear(&out);
        size_t n = frame_add_quotes(&out, &r.f->book, NULL, &ids, FRAME_SNAPSHOT, NULL);
        assert_true(n > 0);
        assert_true(out.len <= FRAME_PAYLOAD_MAX + FRAME_HEADER_MAX);
        if (bits_any(&ids))
            assert_true(out.len > FRAME_PAYLOAD_MAX - 1200);
        items += n;
        frames++;
    }
    assert_int_equal(items, 300);
    assert_int_equal(frames, (300 + 17) / 18); /* 18 items of nearly 900 bytes each */

    for (int i = 0; i < 300; i++)
        bits_set(&ids, i);
    for (frames = items = 0; bits_any(&ids); frames++) {
        buf_clear(&out);
        items += frame_add_statuses(&out, &r.f->book, &ids, NULL);
        assert_true(out.len <= FRAME_PAYLOAD_MAX + FRAME_HEADER_MAX);
    }
    assert_int_equal(items, 300);
    bits_fini(&ids);
    buf_fini(&out);
    rig_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_lengths),
        cmocka_unit_test(test_item_bytes_untouched),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_kinds_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
