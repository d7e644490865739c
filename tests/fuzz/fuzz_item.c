/* Items from the bus, written by any program: what is taken can be told and told again. */
#include "fuzz.h"
#include "item.h"

static const int64_t NOW_MS = INT64_C(1767225600000);

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

static void check_members(const struct item *it)
{
    for (int i = 0; i < it->members_len; i++) {
        const struct jsonx_member *m = &it->members[i];
        CHECK(m->name >= it->bytes && m->name + m->name_len <= m->value);
        CHECK(m->value_len > 0 && m->value + m->value_len <= it->bytes + it->len);
        CHECK(fuzz_is_json(m->value, m->value_len));
    }
}

/* With its current state written into it, it is an item still. */
static void check_rendered(const struct item *it, enum instrument_kind kind)
{
    struct buf out = {0};
    struct err err;
    item_render(it, STATE_CLOSED, &out);
    CHECK(!out.failed && fuzz_is_json(out.p, out.len));
    struct item *again = item_parse(out.p, out.len, kind, it->symbol, NOW_MS, &err);
    CHECK(again || out.len > ITEM_BYTES_MAX || it->members_len == ITEM_MEMBERS_MAX);
    if (again)
        CHECK(again->state == STATE_CLOSED && again->ts_ms == it->ts_ms &&
              fuzz_same(again->price, it->price) && item_same_seq(again, it) == it->has_seq);
    item_unref(again);
    buf_fini(&out);
}

static void try_kind(const char *bytes, size_t size, enum instrument_kind kind)
{
    struct err err = {""};
    struct item *it = item_parse(bytes, size, kind, "coffee", NOW_MS, &err);
    if (!it) {
        CHECK(fuzz_is_sentence(&err));
        return;
    }
    CHECK(strcmp(it->symbol, "coffee") == 0 && it->refs == 1);
    CHECK(kind == INSTRUMENT_QUOTE ? decimal_positive(it->price) : !it->price.given);
    CHECK(it->len == size && memcmp(it->bytes, bytes, size) == 0);
    CHECK(it->ts_ms >= 0 && it->ts_ms <= NOW_MS + 5000 && it->recv_ms <= NOW_MS);
    CHECK(it->delayed_s >= 0 && it->stale_after_ms >= 0);
    CHECK(fuzz_is_utf8(it->source, sizeof it->source));
    check_members(it);
    check_rendered(it, kind);
    item_unref(it);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_bytes(data, size);
    try_kind(bytes, size, INSTRUMENT_QUOTE);
    try_kind(bytes, size, INSTRUMENT_OBSERVATION);
    free(bytes);
    return 0;
}
