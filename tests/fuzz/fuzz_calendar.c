/* The hours of an exchange (the first line of the input; empty: some usual ones) and its holidays
 * (the rest): what is taken makes a calendar that says nothing else before its next change. */
#include "calendar.h"
#include "fuzz.h"

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

/* From the day on which the clocks went forward; 20 changes at most. */
static void check_calendar(const struct calendar *c)
{
    int64_t t_ms = INT64_C(1772928000000); /* 2026-03-08 */
    for (int i = 0; i < 20; i++) {
        enum quote_market market = calendar_at(c, t_ms);
        int64_t next_ms = calendar_next_change_ms(c, t_ms);
        CHECK(market >= MARKET_OPEN && market <= MARKET_POST);
        CHECK(next_ms > t_ms);
        if (next_ms == INT64_MAX) {
            CHECK(market == MARKET_CLOSED);
            return;
        }
        CHECK(calendar_at(c, next_ms - 1) == market);
        CHECK(calendar_at(c, t_ms + (next_ms - t_ms) / 2) == market);
        t_ms = next_ms;
    }
}

static void try_calendar(const struct hours *hours, struct holidays *holidays)
{
    const struct hours before = {.days = 0x7f, .from_s = 0, .to_s = 12 * 3600};
    const struct calendar_span spans[] = {
        {MARKET_OPEN, *hours},
        {MARKET_PRE,  before}
    };
    struct err err;
    struct zone *zone = hours->days & 1 ? zone_load("America/New_York", &err) : NULL;
    struct calendar *c = calendar_new(zone, holidays, spans, ARRAY_LEN(spans));
    REQUIRE(c);
    check_calendar(c);
    calendar_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nl = size ? memchr(data, '\n', size) : NULL;
    size_t line = nl ? (size_t)(nl - data) : size, rest = nl ? line + 1 : size;
    struct err err = {""};
    struct hours hours = {.days = 0x3e, .from_s = 34200, .to_s = 57600};
    char *text = fuzz_text(data, line), *days = fuzz_bytes(data + rest, size - rest);
    const char *problem = line ? hours_parse(text, &hours) : NULL;
    CHECK(!problem || strncmp(problem, "must be ", 8) == 0);
    CHECK(hours.days && hours.days < 128 && hours.from_s >= 0 && hours.from_s < 24 * 3600);
    CHECK(hours.to_s > hours.from_s && hours.to_s <= hours.from_s + 24 * 3600);
    struct holidays *holidays = holidays_parse(days, size - rest, &err);
    if (holidays)
        try_calendar(&hours, holidays);
    else
        CHECK(fuzz_is_sentence(&err));
    free(text);
    free(days);
    return 0;
}
