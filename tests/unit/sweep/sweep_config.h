/* sweep_config.h - a configuration with the real providers, for the sweeps of the polling half. A
 * and B need no network; C asks where nobody listens, then one that needs none. */
#ifndef PRICEGATE_TEST_SWEEP_CONFIG_H
#define PRICEGATE_TEST_SWEEP_CONFIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "buf.h"
#include "config.h"
#include "provider.h"

static const char config_text[] =
    "{\"exchanges\":[{\"name\":\"HOUSE\",\"timezone\":\"America/Lima\",\"hours\":"
    "[\"Mon-Fri 09:00-12:30\",\"Mon-Fri 14:00-17:00\"]}],"
    "\"jobs\":{\"market\":{\"times\":[\"06:00\"]},\"max_retries\":0},\"limits\":{\"refresh_ms\":0},"
    "\"providers\":{\"twelvedata\":{\"api_key\":\"k\",\"base_url\":\"http://127.0.0.1:1\"}},"
    "\"instruments\":[{\"symbol\":\"A\",\"exchange\":\"NYSE\",\"sources\":"
    "[{\"provider\":\"sim\",\"symbol\":\"X\"}]},"
    "{\"symbol\":\"B\",\"exchange\":\"HOUSE\",\"sources\":[{\"provider\":\"sim\",\"symbol\":\"Y\"}]"
    "},"
    "{\"symbol\":\"C\",\"poll_ms\":1000,\"sources\":"
    "[{\"provider\":\"twelvedata\",\"symbol\":\"C\"},{\"provider\":\"sim\",\"symbol\":\"Z\"}]}]}";

static struct config *load(void)
{
    struct config_provider_rule rules[32];
    struct buf problems = {0}, warnings = {0};
    static const char *const env[] = {NULL};
    assert_true(providers_len <= ARRAY_LEN(rules));
    for (size_t i = 0; i < providers_len; i++)
        rules[i] = providers[i]->rule;
    const struct config_input in = {.text = config_text,
                                    .len = sizeof config_text - 1,
                                    .environ_list = env,
                                    .providers = rules,
                                    .providers_len = providers_len};
    struct config *c = config_load(&in, &problems, &warnings);
    if (!c)
        fail_msg("not valid: %s", problems.p);
    buf_fini(&problems);
    buf_fini(&warnings);
    return c;
}

#endif
