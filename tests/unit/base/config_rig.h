/* config_rig.h - loading configurations in tests, with rules like those of the real providers. */
#ifndef PRICEGATE_TEST_CONFIG_RIG_H
#define PRICEGATE_TEST_CONFIG_RIG_H

#include <string.h>

#include "config.h"
#include "seed.h"

static const char *pair_problem(const char *symbol)
{
    return strchr(symbol, ' ') ? "no blanks, as AAPL or EUR/USD" : NULL;
}

/* Like the rows of the real providers. */
/* clang-format off */
static const struct config_provider_rule rules[] = {
    {.name = "sim", .enabled_by_default = true},
    {.name = "twelvedata",
     .key_env = "TWELVE_DATA_API_KEY",
     .needs_key = true,
     .enabled_by_default = true,
     .credits_per_second = 1,
     .credits_per_minute = 8,
     .credits_per_hour = 400,
     .credits_per_day = 800,
     .symbol_problem = pair_problem},
    {.name = "yahoo", .enabled_by_default = true},
    {.name = "weather", .serves = SERVES_OBSERVATIONS, .enabled_by_default = true},
    {.name = "world", .serves = SERVES_BOTH, .enabled_by_default = true},
};
/* clang-format on */

struct fixture {
    struct buf problems, warnings;
    struct config *c;
};

static struct config *load(struct fixture *f, const char *text, const char *const *env)
{
    const struct config_input in = {.text = text,
                                    .len = strlen(text),
                                    .environ_list = env,
                                    .providers = rules,
                                    .providers_len = ARRAY_LEN(rules)};
    seed_keep_text("config", text);
    config_free(f->c);
    buf_clear(&f->problems);
    buf_clear(&f->warnings);
    f->c = config_load(&in, &f->problems, &f->warnings);
    assert_true(f->c ? f->problems.len == 0 : f->problems.len > 0);
    return f->c;
}

static const char *text_of(const struct buf *b)
{
    return b->len > 0 ? b->p : "";
}

/* Loads what must be valid. */
static inline const struct config *good(struct fixture *f, const char *text, const char *const *env)
{
    if (!load(f, text, env))
        fail_msg("not valid: %s\n%s", text, text_of(&f->problems));
    return f->c;
}

/* Loads what must not be valid; returns the problems. */
static inline const char *bad(struct fixture *f, const char *text, const char *const *env)
{
    if (load(f, text, env))
        fail_msg("valid: %s", text);
    return text_of(&f->problems);
}

static inline int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state ? 0 : -1;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    config_free(f->c);
    buf_fini(&f->problems);
    buf_fini(&f->warnings);
    free(f);
    return 0;
}

#endif
