/* What each row of the provider table declares, held against what the provider does. */
#include "provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scarce.h"

static const char KEY[] = "SECRET5KEY";

/* A symbol that each of them takes. */
static const struct {
    const char *provider, *symbol;
} examples[] = {
    {"alphavantage",   "AAPL"             },
    {"coinbase",       "BTC-USD"          },
    {"ecb",            "EUR/USD"          },
    {"eia",            "RWTC"             },
    {"exchangerate",   "EUR/USD"          },
    {"finnhub",        "AAPL"             },
    {"frankfurter",    "EUR/USD"          },
    {"fred",           "DEXUSEU"          },
    {"ico",            "I-CIP"            },
    {"nasdaqdatalink", "LBMA/GOLD"        },
    {"oanda",          "EUR_USD"          },
    {"openmeteo",      "-21.55,-45.43"    },
    {"perplexity",     "cajamarca"        },
    {"sim",            "coffee"           },
    {"stooq",          "kc.f"             },
    {"twelvedata",     "AAPL"             },
    {"worldbank",      "BR/NY.GDP.MKTP.CD"},
    {"yahoo",          "KC=F"             },
};

static const char *example_of(const struct provider *p)
{
    for (size_t i = 0; i < ARRAY_LEN(examples); i++)
        if (strcmp(examples[i].provider, p->rule.name) == 0)
            return examples[i].symbol;
    fail_msg("no example of a symbol of %s", p->rule.name);
    return NULL;
}

static void the_key_goes_where_it_is_said_to_go(void **state)
{
    (void)state;
    const struct config_provider cfg = {.api_key = KEY, .account = "101-1", .enabled = true};
    for (size_t i = 0; i < providers_len; i++) {
        const struct provider *p = providers[i];
        const char *symbol = example_of(p);
        struct http_request rq = {0};
        struct err err = {""};
        if (p->rule.symbol_problem)
            assert_null(p->rule.symbol_problem(symbol));
        if (!p->request) {
            assert_non_null(p->generate);
            assert_int_equal(p->auth, AUTH_NONE);
            continue;
        }
        if (p->request(&cfg, &symbol, 1, &rq, &err) != 0)
            fail_msg("%s: %s", p->rule.name, err.text);
        bool in_url = strstr(rq.url.p, KEY), in_header = rq.headers.p && strstr(rq.headers.p, KEY);
        if (in_url != (p->auth == AUTH_QUERY) || in_header != (p->auth == AUTH_HEADER))
            fail_msg("%s says that its key goes into: %s", p->rule.name,
                     provider_auth_name(p->auth));
        assert_false(rq.body.p && strstr(rq.body.p, KEY));
        http_request_fini(&rq);
    }
}

/* Whichever allocation fails, the request is refused with a reason, never sent in part. */
static void a_request_needs_memory(void **state)
{
    (void)state;
    const struct config_provider cfg = {.api_key = KEY, .account = "101-1", .enabled = true};
    for (size_t i = 0; i < providers_len; i++) {
        const struct provider *p = providers[i];
        bool failed = p->request != NULL;
        for (int granted = 0; failed; granted++) {
            const char *symbol = example_of(p);
            struct http_request rq = {0};
            struct err err = {""};
            scarce_begin(granted, SCARCE_ONCE);
            int rc = p->request(&cfg, &symbol, 1, &rq, &err);
            failed = scarce_end();
            assert_int_equal(rc, failed ? -1 : 0);
            assert_true(!failed || strstr(err.text, "out of memory"));
            http_request_fini(&rq);
        }
    }
}

/* One that makes its answers up says so when it has no memory for them. */
static void a_made_up_answer_needs_memory(void **state)
{
    (void)state;
    struct answer a = {0};
    scarce_begin(0, SCARCE_ONCE);
    provider_find("sim")->generate("weather/brazil", INT64_C(1767268800000), &a);
    assert_true(scarce_end());
    assert_int_equal(a.failure, FAIL_UPSTREAM_ERROR);
    answers_fini(&a, 1);
}

static void rows_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < providers_len; i++) {
        const struct provider *p = providers[i];
        assert_true(i == 0 || strcmp(providers[i - 1]->rule.name, p->rule.name) < 0);
        assert_ptr_equal(provider_find(p->rule.name), p);
        assert_true(p->position > 0);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(providers[k]->position, p->position);
        assert_true(p->batch_max >= 1 && p->batch_max <= PROVIDER_BATCH_MAX);
        assert_true(!p->rule.needs_key || p->auth != AUTH_NONE);
        assert_true(!p->rule.key_env || p->auth != AUTH_NONE);
        assert_non_null(p->rule.symbol_problem);
        assert_true((p->request && p->parse) != !!p->generate);
        assert_true(p->timeout_ms >= 0 && p->timeout_ms <= 15000);
        assert_true(strlen(provider_data_name(p->data)) > 0);
    }
    assert_null(provider_find("bloomberg"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_goes_where_it_is_said_to_go),
        cmocka_unit_test(a_request_needs_memory),
        cmocka_unit_test(a_made_up_answer_needs_memory),
        cmocka_unit_test(rows_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
