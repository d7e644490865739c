/* exchangerate.c - ExchangeRate-API: one table of rates a day, with a key or without.
 *
 * Without a key it is the open endpoint's (attribution is required: pages that show its rates must
 * name it), with one the v6 endpoint's, where `rates` is called `conversion_rates`. What the
 * replies taught:
 *  - Errors come under any status, 200 too: {"result":"error","error-type":"quota-reached"}, with a
 *    hyphen. The quota is the month's: nothing is asked until the next day, then once.
 *  - Rates are numbers, whole ones among them ("USD":1), and there are more than 160.
 *  - The table says when it was made and when the next one will be. A request an hour is enough to
 *    find that one, and few enough for the key's 1,500 a month; who asks the open endpoint too
 *    often is shut out for about 20 minutes.
 *  - time_eol_unix is 0, or the time from which on the endpoint is no more. What it says after that
 *    is not believed.
 *
 * Asked is always for the dollar's table, and pairs follow from it. To ask for a pair's own base
 * would give the digits of that pair; but one currency that does not exist (unsupported-code) would
 * then cost all other pairs of the request theirs.
 *
 * Besides the table the answer for a pair (conversion_rate) is understood. */
#include <string.h>

#include "provider.h"
#include "rates.h"

static const char OPEN_URL[] = "https://open.er-api.com";
static const char KEYED_URL[] = "https://v6.exchangerate-api.com";
static const int64_t SHUT_OUT_MS = 20L * 60 * 1000;

static int exchangerate_request(const struct config_provider *cfg, const char *const *symbols,
                                size_t n, struct http_request *out, struct err *err)
{
    (void)symbols, (void)n; /* one table answers all */
    if (cfg->api_key && !parse_key_sendable(cfg->api_key))
        return err_set(err, "exchangerate: api_key holds characters that cannot be sent");
    parse_base_url(cfg, cfg->api_key ? KEYED_URL : OPEN_URL, &out->url);
    buf_adds(&out->url, "/v6/latest/USD");
    if (cfg->api_key)
        buf_addf(&out->headers, "Authorization: Bearer %s\n", cfg->api_key);
    buf_adds(&out->headers, "Accept: application/json\n");
    return out->url.failed || out->headers.failed ? err_set(err, "exchangerate: out of memory") : 0;
}

static const struct {
    const char *type;
    enum failure failure;
    int64_t cooldown_ms;
} errors[] = {
    {"inactive-account",  FAIL_AUTH,         0 },
    {"invalid-key",       FAIL_AUTH,         0 },
    {"malformed-request", FAIL_BAD_SCHEMA,   0 },
    {"quota-reached",     FAIL_RATE_LIMITED, -1},
    {"unsupported-code",  FAIL_NOT_FOUND,    0 },
};

/* {"result":"error","error-type":"..."}; FAIL_NONE: it is none. */
static enum failure probe_error(const json_t *root, int64_t *cooldown_ms, struct answer *why)
{
    const char *result = json_string_value(json_object_get(root, "result"));
    const char *type = json_string_value(json_object_get(root, "error-type"));
    enum failure f = FAIL_UPSTREAM_ERROR;
    if (!type && (!result || strcmp(result, "error") != 0))
        return FAIL_NONE;
    for (size_t i = 0; type && i < ARRAY_LEN(errors); i++) {
        if (strcmp(errors[i].type, type) == 0) {
            f = errors[i].failure;
            *cooldown_ms = errors[i].cooldown_ms;
        }
    }
    parse_fail(why, f, "refused: %s", type ? type : "no reason given");
    return f;
}

/* There is nothing in the path that a currency could be missing from: what is not found is the
 * table, and that is the provider's fault. */
static enum failure probe_status(const struct http_reply *reply, struct answer *why)
{
    enum failure f = parse_status(reply, why);
    if (f == FAIL_NOT_FOUND)
        parse_fail(why, FAIL_UPSTREAM_ERROR, "HTTP %d: no table of rates there", reply->status);
    return why->failure;
}

/* What is no currency's code, and what has no rate today, is passed over: the others have theirs.
 */
static bool add_rates(struct rates *r, json_t *list)
{
    const char *currency;
    json_t *v;
    json_object_foreach(list, currency, v)
    {
        struct decimal d;
        if (!rates_code_ok(currency) || json_is_null(v))
            continue;
        if (!parse_decimal(v, &d) || rates_add(r, currency, d) != 0)
            return false;
    }
    return true;
}

static bool add_pair(struct rates *r, const char *target, const json_t *rate)
{
    struct decimal d;
    return parse_decimal(rate, &d) && rates_add(r, target, d) == 0;
}

static void read_table(json_t *root, int64_t now_ms, struct rates *r, struct answer *why)
{
    const char *base = json_string_value(json_object_get(root, "base_code"));
    const char *target = json_string_value(json_object_get(root, "target_code"));
    int64_t end_ms = parse_epoch_s(json_object_get(root, "time_eol_unix"));
    json_t *list = json_object_get(root, "rates");
    if (!list)
        list = json_object_get(root, "conversion_rates");
    r->ts_ms = parse_epoch_s(json_object_get(root, "time_last_update_unix"));
    if (end_ms > 0 && end_ms <= now_ms) {
        parse_fail(why, FAIL_UPSTREAM_ERROR, "the endpoint has come to its announced end");
        return;
    }
    if (!base || !rates_code_ok(base) || !(target || json_is_object(list))) {
        parse_fail(why, FAIL_BAD_SCHEMA, "not a table of rates");
        return;
    }
    memcpy(r->base, base, sizeof r->base);
    if (target ? add_pair(r, target, json_object_get(root, "conversion_rate")) : add_rates(r, list))
        rates_check(r, now_ms, why);
    else
        parse_fail(why, FAIL_BAD_SCHEMA, "a rate is missing, or not positive");
}

static void exchangerate_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                               int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    struct rates rates = {0};
    int64_t cooldown_ms = SHUT_OUT_MS;
    json_t *root = parse_body(reply, &why);
    if (root && probe_error(root, &cooldown_ms, &why) == FAIL_NONE &&
        probe_status(reply, &why) == FAIL_NONE)
        read_table(root, now_ms, &rates, &why);
    json_decref(root);
    if (why.failure == FAIL_NONE)
        rates_answer(&rates, symbols, n, answers);
    else
        parse_fail_all(answers, n, why.failure, why.detail);
    parse_verdict(reply, answers, n, verdict);
    if (verdict->failure == FAIL_RATE_LIMITED && verdict->cooldown_ms < SHUT_OUT_MS)
        verdict->cooldown_ms = cooldown_ms;
}

const struct provider provider_exchangerate = {
    .rule = {.name = "exchangerate",
             .enabled_by_default = true,
             .credits_per_day = 24,
             .symbol_problem = rates_symbol_problem},
    .data = DATA_END_OF_DAY,
    .auth = AUTH_HEADER,
    .position = 51,
    .batch_max = PROVIDER_BATCH_MAX,
    .table = true,
    .request = exchangerate_request,
    .parse = exchangerate_parse,
};
