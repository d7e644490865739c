/* What all parsers share: times as text, and the cleaning of what a provider says. */
#include "fuzz.h"
#include "provider.h"

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

/* Days and times read in both forms are the same moment. */
static void check_times(const char *text)
{
    char other[64];
    int64_t utc_ms = parse_utc_text(text), at_ms = parse_rfc3339(text);
    CHECK(utc_ms >= 0 && at_ms >= 0);
    CHECK(!utc_ms || !at_ms); /* one form is not the other */
    if (utc_ms == 0 || strlen(text) != 19)
        return;
    snprintf(other, sizeof other, "%.10sT%sZ", text, text + 11);
    CHECK(parse_rfc3339(other) == utc_ms);
    snprintf(other, sizeof other, "%.10sT%s.25+00:30", text, text + 11);
    CHECK(parse_rfc3339(other) == (utc_ms > 1800000 ? utc_ms + 250 - 1800000 : 0) ||
          utc_ms <= 1800000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct answer a;
    struct buf escaped = {0};
    char *text = fuzz_text(data, size);
    check_times(text);
    parse_fail(&a, FAIL_AUTH, "%s", text);
    CHECK(a.failure == FAIL_AUTH && fuzz_is_printable(a.detail, sizeof a.detail));
    CHECK(!strstr(a.detail, "://"));
    parse_escape(text, &escaped);
    CHECK(!escaped.p || fuzz_is_printable(escaped.p, escaped.len + 1));
    buf_fini(&escaped);
    free(text);
    return 0;
}
