/* frankfurter.c - Frankfurter: the European Central Bank's rates as JSON, no key.
 *
 * Asked is v1, which is frozen and so the one that stays. Both shapes are read:
 *
 *   v1  {"amount":1.0,"base":"EUR","date":"2026-09-04","rates":{"USD":1.1622}}
 *   v2  [{"date":"2025-09-05","base":"EUR","quote":"USD","rate":1.1697}]
 *
 * What the replies taught:
 *  - The base is not among the rates.
 *  - In v2 each rate has its day; those of an older day than the newest are left out. On a weekend
 *    the day is Friday's, whatever was asked for.
 *  - Errors have a message, in v2 their status as well: {"status":422,"message":"..."}. There is no
 *    currency in the request, so "not found" means the path: the provider's fault, not a symbol's.
 *  - The old host (frankfurter.app) answers with a redirect and is not used, and the old path
 *    (/latest) is a 404 on the new one.
 *
 * The rates are those of ecb.c, so they have the same time of the day, and neither of the two makes
 * the other look old. They change once a working day; half an hour between requests is plenty. */
#include <string.h>

#include "provider.h"
#include "rates.h"

static const char BASE_URL[] = "https://api.frankfurter.dev";

static int frankfurter_request(const struct config_provider *cfg, const char *const *symbols,
                               size_t n, struct http_request *out, struct err *err)
{
    (void)symbols, (void)n; /* one table answers all */
    parse_base_url(cfg, BASE_URL, &out->url);
    buf_adds(&out->url, "/v1/latest?base=EUR");
    buf_adds(&out->headers, "Accept: application/json\n");
    return out->url.failed || out->headers.failed ? err_set(err, "frankfurter: out of memory") : 0;
}

/* {"message":"not found"}, {"status":422,"message":"invalid currency: ZZZ"}. FAIL_NONE: none. */
static enum failure probe_error(const json_t *root, const struct http_reply *reply,
                                struct answer *why)
{
    const char *message = json_string_value(json_object_get(root, "message"));
    json_int_t status = json_integer_value(json_object_get(root, "status"));
    struct http_reply said = *reply;
    if (status >= 400 && status <= 599)
        said.status = (int)status;
    enum failure f = parse_status(&said, why);
    if (message && strstr(message, "invalid currency"))
        f = FAIL_NOT_FOUND;
    else if (f == FAIL_NOT_FOUND || (f == FAIL_NONE && message))
        f = FAIL_UPSTREAM_ERROR;
    if (f != FAIL_NONE)
        parse_fail(why, f, "HTTP %d: %s", said.status, message ? message : "refused");
    return f;
}

static void add(struct rates *r, const char *currency, const json_t *rate, struct answer *why)
{
    struct decimal d;
    if (!currency || !parse_decimal(rate, &d) || rates_add(r, currency, d) != 0)
        parse_fail(why, FAIL_BAD_SCHEMA, "a rate is missing, not positive, or there twice");
}

static bool set_base(struct rates *r, const char *base)
{
    if (!base || !rates_code_ok(base))
        return false;
    memcpy(r->base, base, sizeof r->base);
    return true;
}

static void read_v1(json_t *root, struct rates *r, struct answer *why)
{
    const json_t *amount = json_object_get(root, "amount");
    json_t *list = json_object_get(root, "rates");
    const char *currency;
    json_t *v;
    r->ts_ms = rates_fixing_ms(json_string_value(json_object_get(root, "date")));
    if (!set_base(r, json_string_value(json_object_get(root, "base"))) || !json_is_object(list))
        parse_fail(why, FAIL_BAD_SCHEMA, "not a table of rates");
    else if (amount && json_number_value(amount) != 1.0)
        parse_fail(why, FAIL_BAD_SCHEMA, "rates for another amount than 1");
    if (why->failure != FAIL_NONE)
        return;
    json_object_foreach(list, currency, v) add(r, currency, v, why);
}

static void read_v2(const json_t *root, struct rates *r, struct answer *why)
{
    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *row = json_array_get(root, i);
        int64_t ts_ms = rates_fixing_ms(json_string_value(json_object_get(row, "date")));
        if (ts_ms > r->ts_ms)
            r->ts_ms = ts_ms;
    }
    for (size_t i = 0; i < json_array_size(root) && why->failure == FAIL_NONE; i++) {
        const json_t *row = json_array_get(root, i);
        const char *base = json_string_value(json_object_get(row, "base"));
        if (i == 0 && !set_base(r, base))
            parse_fail(why, FAIL_BAD_SCHEMA, "the rates do not say what they are for");
        else if (!base || strcmp(base, r->base) != 0)
            parse_fail(why, FAIL_BAD_SCHEMA, "rates of several bases in one table");
        else if (rates_fixing_ms(json_string_value(json_object_get(row, "date"))) == r->ts_ms)
            add(r, json_string_value(json_object_get(row, "quote")), json_object_get(row, "rate"),
                why);
    }
}

static void read_table(json_t *root, int64_t now_ms, struct rates *r, struct answer *why)
{
    if (json_is_array(root))
        read_v2(root, r, why);
    else
        read_v1(root, r, why);
    if (why->failure == FAIL_NONE)
        rates_check(r, now_ms, why);
}

static void frankfurter_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                              int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    struct rates rates = {0};
    json_t *root = parse_body(reply, &why);
    if (root && probe_error(root, reply, &why) == FAIL_NONE)
        read_table(root, now_ms, &rates, &why);
    json_decref(root);
    if (why.failure == FAIL_NONE)
        rates_answer(&rates, symbols, n, answers);
    else
        parse_fail_all(answers, n, why.failure, why.detail);
    parse_verdict(reply, answers, n, verdict);
}

const struct provider provider_frankfurter = {
    .rule = {.name = "frankfurter",
             .enabled_by_default = true,
             .credits_per_day = 48,
             .symbol_problem = rates_symbol_problem},
    .data = DATA_END_OF_DAY,
    .auth = AUTH_NONE,
    .position = 52,
    .batch_max = PROVIDER_BATCH_MAX,
    .table = true,
    .revalidate = true,
    .request = frankfurter_request,
    .parse = frankfurter_parse,
};
