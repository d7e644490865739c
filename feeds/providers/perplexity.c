/* perplexity.c - Perplexity Sonar, https://api.perplexity.ai: a language model with a search
 * engine, asked about the coffee harvest of a region, or for news, one topic a request.
 *
 *   {"id":...,"model":"sonar","created":1788310800,"usage":{...,"cost":{"total_cost":0.00501}},
 *    "citations":["https://...", ...],
 *    "choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"{...}"}}]}
 *
 * It is no source of prices and never becomes one: it serves observations alone, of fixed topics
 * (topics.h), and of what it writes only what can be is taken over (report.h).
 *
 * What its replies taught:
 *  - A JSON schema is asked for and mostly followed; thoughts, fences and marks come all the same.
 *    The first request with a new schema takes it 10 to 30 seconds, later ones a few. So the first
 *    one may time out; the next finds the schema ready.
 *  - finish_reason is "stop" or the text is cut: then it is nothing.
 *  - `citations`, `search_results` and `cost` may each be missing. Only http and https links are
 *    kept, five at most.
 *  - A wrong key is HTTP 401 with a web page, or with {"error":{"type":...,"code":401}}. No money
 *    left is 401, too, with the type insufficient_quota: asking every few minutes does not help.
 *  - `created` is the time of the answer. What it says is older; the text says of which day.
 *
 * A request costs money (half a cent and what is written), whoever is served by it: hence 50 a
 * day, and 5 a minute. */
#include <string.h>

#include "jsonx.h"
#include "provider.h"
#include "report.h"
#include "topics.h"
#include "words.h"

static const char BASE_URL[] = "https://api.perplexity.ai";

static const int64_t TIMEOUT_MS = 15000;
static const int64_t MINUTE_COOLDOWN_MS = 70000;
static const int64_t MONEY_COOLDOWN_MS = 3600000;
static const int64_t CREATED_MAX_MS = 86400000; /* older than a day: not the answer's time */

static const char SYSTEM[] =
    "You report on coffee production for a data service. Use primary and official sources and "
    "name no figure that you did not read in one of them. Leave out every figure that you do not "
    "find; never estimate. Figures are plain numbers in the units asked for: convert bags of 60 kg "
    "and quintals of 46 kg to metric tonnes. All figures are for one crop year. Answer with the "
    "JSON object alone, in English, without links, marks or formatting.";

/* ---- asking ---- */

static const char *symbol_problem(const char *symbol)
{
    return topic_find(symbol) ? NULL
                              : "should be a topic such as cajamarca, peru, brazil or news/coffee";
}

static void add_question(const struct topic *t, struct buf *out)
{
    switch (t->kind) {
    case TOPIC_PERU:
        buf_addf(out,
                 "Coffee production in %s: what do the Junta Nacional del Cafe (JNC), the ministry "
                 "of agriculture (MIDAGRI, formerly MINAGRI) and its regional offices report for "
                 "the latest crop year: production, harvested area, yield, progress of the "
                 "harvest? What is the outlook (weather, pests, labour, costs)?",
                 t->region);
        return;
    case TOPIC_COUNTRY:
        buf_addf(out,
                 "Coffee production in %s: what do the national statistics and coffee "
                 "authorities, USDA and ICO report for the latest crop year: production, "
                 "harvested area, yield, progress of the harvest? What is the outlook (weather, "
                 "pests, labour, costs)?",
                 t->region);
        return;
    case TOPIC_NEWS:
    default:
        buf_addf(out,
                 "What happened in the last seven days that matters to the supply of coffee%s%s: "
                 "weather, harvest, pests, logistics, policy? No prices.",
                 t->region[0] ? " from " : "", t->region);
        return;
    }
}

static void add_body(const struct topic *t, struct buf *out)
{
    struct buf question = {0};
    add_question(t, &question);
    buf_adds(out, "{\"model\":\"sonar\",\"messages\":[{\"role\":\"system\",\"content\":");
    buf_adds_json(out, SYSTEM);
    buf_adds(out, "},{\"role\":\"user\",\"content\":");
    buf_adds_json(out, question.failed ? "" : question.p);
    buf_addf(out,
             "}],\"max_tokens\":800,\"temperature\":0.1,\"search_recency_filter\":\"%s\","
             "\"web_search_options\":{\"search_context_size\":\"low\"},"
             "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"report\","
             "\"schema\":%s}}}",
             t->kind == TOPIC_NEWS ? "week" : "year", report_schema(t));
    out->failed |= question.failed;
    buf_fini(&question);
}

static int perplexity_request(const struct config_provider *cfg, const char *const *symbols,
                              size_t n, struct http_request *out, struct err *err)
{
    if (!cfg->api_key)
        return err_set(err, "perplexity: no api_key");
    if (!parse_key_sendable(cfg->api_key))
        return err_set(err, "perplexity: api_key holds characters that cannot be sent");
    if (n != 1)
        return err_set(err, "perplexity: one topic at a time, not %zu", n);
    const struct topic *topic = topic_find(symbols[0]);
    if (!topic)
        return err_set(err, "perplexity: the symbol %s", symbol_problem(symbols[0]));
    parse_base_url(cfg, BASE_URL, &out->url);
    buf_adds(&out->url, "/chat/completions");
    buf_addf(&out->headers, "Authorization: Bearer %s\n", cfg->api_key);
    buf_adds(&out->headers, "Content-Type: application/json\nAccept: application/json\n");
    add_body(topic, &out->body);
    if (out->url.failed || out->headers.failed || out->body.failed)
        return err_set(err, "perplexity: out of memory");
    return 0;
}

/* ---- errors ---- */

static const char *text_of(const json_t *v)
{
    return json_is_string(v) ? json_string_value(v) : "";
}

/* {"error":{"message":"...","type":"invalid_api_key","code":401}} */
static bool probe_error(const json_t *root, const struct http_reply *reply, struct answer *why,
                        int64_t *cooldown_ms)
{
    const json_t *error = json_object_get(root, "error");
    const char *type = text_of(json_object_get(error, "type"));
    if (!error || json_is_null(error))
        return false;
    if (reply->status == 402 || strstr(type, "quota")) {
        parse_fail(why, FAIL_AUTH, "no credit left on the account");
        *cooldown_ms = MONEY_COOLDOWN_MS;
        return true;
    }
    enum failure f = parse_status(reply, why);
    if (strstr(type, "rate_limit"))
        f = FAIL_RATE_LIMITED;
    if (strstr(type, "api_key"))
        f = FAIL_AUTH;
    if (f == FAIL_NOT_FOUND || f == FAIL_NONE) /* nothing that a topic could be the cause of */
        f = FAIL_BAD_SCHEMA;
    parse_fail(why, f, "error %s: %s", type,
               f == FAIL_AUTH ? "we are not let in" : text_of(json_object_get(error, "message")));
    return true;
}

/* ---- the answer ---- */

static void add_citation(const json_t *v, struct observation *o)
{
    const char *url = text_of(v);
    if (o->citations_len == OBSERVATION_CITATIONS_MAX || strlen(url) >= sizeof o->citations[0] ||
        !words_is_link(url))
        return;
    snprintf(o->citations[o->citations_len++], sizeof o->citations[0], "%s", url);
}

static void add_citations(const json_t *root, struct observation *o)
{
    const json_t *list = json_object_get(root, "citations");
    for (size_t i = 0; i < json_array_size(list); i++)
        add_citation(json_array_get(list, i), o);
    if (o->citations_len > 0)
        return;
    list = json_object_get(root, "search_results");
    for (size_t i = 0; i < json_array_size(list); i++)
        add_citation(json_object_get(json_array_get(list, i), "url"), o);
}

static int64_t time_of(const json_t *root, int64_t now_ms)
{
    int64_t ts = parse_epoch_s(json_object_get(root, "created"));
    return ts > 0 && ts > now_ms - CREATED_MAX_MS && ts < now_ms ? ts : now_ms;
}

static void read_report(const json_t *root, const struct topic *topic, int64_t now_ms,
                        struct answer *a)
{
    const json_t *choice = json_array_get(json_object_get(root, "choices"), 0);
    const json_t *content = json_object_get(json_object_get(choice, "message"), "content");
    const char *reason = text_of(json_object_get(choice, "finish_reason"));
    struct observation o = {.values_len = 0};
    if (strcmp(reason, "stop") != 0) {
        parse_fail(a, strcmp(reason, "content_filter") == 0 ? FAIL_NO_DATA : FAIL_BAD_SCHEMA,
                   "the answer is not complete: finish_reason %s", reason[0] ? reason : "missing");
        return;
    }
    if (!json_is_string(content)) {
        parse_fail(a, FAIL_BAD_SCHEMA, "an answer without content");
        return;
    }
    if (!report_read(json_string_value(content), json_string_length(content), topic, now_ms, &o, a))
        return;
    snprintf(o.region, sizeof o.region, "%s", topic->region);
    add_citations(root, &o);
    a->record.ts_ms = time_of(root, now_ms);
    struct observation *observation = answer_observe(a);
    if (observation)
        *observation = o;
}

static void perplexity_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                             int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct answer why = {0};
    int64_t cooldown_ms = 0;
    const struct topic *topic = topic_find(symbols[0]);
    json_t *root = NULL;

    REQUIRE(n == 1);
    if (reply->status == 401 && parse_is_html(reply))
        parse_fail(&why, FAIL_AUTH, "HTTP 401: we are not let in");
    else
        root = parse_body(reply, &why);
    if (root && !probe_error(root, reply, &why, &cooldown_ms) &&
        parse_status(reply, &why) == FAIL_NONE) {
        if (topic)
            read_report(root, topic, now_ms, &why);
        else
            parse_fail(&why, FAIL_NOT_FOUND, "no such topic");
    }
    answers[0] = why;
    json_decref(root);
    parse_verdict(reply, answers, n, verdict);
    if (why.failure == FAIL_RATE_LIMITED)
        cooldown_ms = MINUTE_COOLDOWN_MS;
    if (verdict->cooldown_ms < cooldown_ms)
        verdict->cooldown_ms = cooldown_ms;
}

const struct provider provider_perplexity = {
    .rule = {.name = "perplexity",
             .serves = SERVES_OBSERVATIONS,
             .key_env = "PERPLEXITY_API_KEY",
             .needs_key = true,
             .enabled_by_default = true,
             .credits_per_minute = 5,
             .credits_per_day = 50,
             .symbol_problem = symbol_problem},
    .data = DATA_END_OF_DAY,
    .auth = AUTH_HEADER,
    .position = 80,
    .batch_max = 1,
    .timeout_ms = TIMEOUT_MS,
    .request = perplexity_request,
    .parse = perplexity_parse,
};
