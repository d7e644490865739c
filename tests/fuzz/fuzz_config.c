/* Configurations: complete, or a problem a line. */
#include "config.h"
#include "fuzz.h"
#include "provider.h"
#include "symbol.h"

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

static void check_config(const struct config *c)
{
    CHECK(c->listen.port >= 0 && c->listen.port <= 65535);
    CHECK(c->providers_len == providers_len && c->quotes_len <= c->instruments_len);
    for (size_t i = 0; i < c->instruments_len; i++) {
        const struct instrument *in = &c->instruments[i];
        CHECK(symbol_valid(in->symbol, strlen(in->symbol)) && in->name && in->category);
        CHECK(in->range_min.given == in->range_max.given);
        for (size_t k = 0; k < in->sources_len; k++) {
            const struct config_source *s = &in->sources[k];
            CHECK(s->provider_id >= 0 && (size_t)s->provider_id < providers_len);
            CHECK(!providers[s->provider_id]->rule.symbol_problem(s->symbol));
        }
    }
}

static void check_problems(char *text)
{
    size_t len = strlen(text);
    char *save = NULL;
    CHECK(len > 0 && text[len - 1] == '\n');
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        CHECK(strstr(line, ": "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *const environ_list[] = {"COFFEE_KEY=k", "TWELVE_DATA_API_KEY=k", NULL};
    struct config_provider_rule rules[64];
    struct buf problems = {0}, warnings = {0};
    char *text = fuzz_text(data, size);
    REQUIRE(providers_len <= ARRAY_LEN(rules));
    for (size_t i = 0; i < providers_len; i++)
        rules[i] = providers[i]->rule;
    const struct config_input in = {.text = text,
                                    .len = size,
                                    .environ_list = environ_list,
                                    .providers = rules,
                                    .providers_len = providers_len};
    struct config *c = config_load(&in, &problems, &warnings);
    CHECK((c != NULL) == (problems.len == 0));
    if (c)
        check_config(c);
    else
        check_problems(problems.p);
    config_free(c);
    buf_fini(&problems);
    buf_fini(&warnings);
    free(text);
    return 0;
}
