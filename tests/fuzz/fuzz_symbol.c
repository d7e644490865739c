/* Symbols and patterns of ours, and those in the syntax of each provider: what a provider's rule
 * accepts makes a request that can be sent. */
#include "fuzz.h"
#include "http_head.h"
#include "provider.h"
#include "symbol.h"

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

static void check_ours(const char *bytes, size_t len)
{
    bool valid = symbol_valid(bytes, len), pattern = symbol_is_pattern(bytes, len);
    char text[SYMBOL_MAX + 1];
    CHECK(!(valid && pattern));
    CHECK(!valid || (len > 0 && len <= SYMBOL_MAX));
    CHECK(!pattern || (len > 0 && len <= SYMBOL_MAX + 1 && bytes[len - 1] == '*'));
    if (!valid)
        return;
    snprintf(text, sizeof text, "%.*s", (int)len, bytes);
    CHECK(strlen(text) == len && fuzz_is_printable(text, sizeof text));
    CHECK(symbol_matches("*", 1, text));
}

static void check_request(const struct provider *p, const char *symbol)
{
    const struct config_provider cfg = {
        .name = p->rule.name, .enabled = true, .api_key = "k-1", .account = "101-001-1-001"};
    struct http_request r = {0};
    struct err err = {""};
    if (!p->request || p->rule.symbol_problem(symbol))
        return;
    CHECK(p->request(&cfg, &symbol, 1, &r, &err) == 0);
    CHECK(http_request_check(&r, &err) == 0);
    for (size_t i = 0; i < r.url.len; i++)
        CHECK(r.url.p[i] > 0x20 && r.url.p[i] < 0x7f && !strchr("\"<>\\^`{|}#", r.url.p[i]));
    http_request_fini(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_bytes(data, size), *text = fuzz_text(data, size);
    check_ours(bytes, size);
    for (size_t i = 0; i < providers_len; i++)
        check_request(providers[i], text);
    free(bytes);
    free(text);
    return 0;
}
