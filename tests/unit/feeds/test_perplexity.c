/* Perplexity: what is asked, and what is made of each kind of reply. What it writes is the matter
 * of test_report.c. */
#include "reply_case.h"

/* 2026-03-16 10:00 UTC */
static const int64_t NOW_MS = 1773655200000;

#define CONTENT                                                                                    \
    "\"{\\\"production_t\\\":78000,\\\"period\\\":\\\"2025\\\",\\\"as_of\\\":\\\"2026-03-01\\\","  \
    "\\\"outlook\\\":\\\"Good.[1]\\\"}\""
#define CHOICE(reason, content)                                                                    \
    "\"choices\":[{\"index\":0,\"finish_reason\":" reason                                          \
    ",\"message\":{\"role\":\"assistant\",\"content\":" content "}}]"
#define REPLY(more)     "{\"id\":\"x\",\"model\":\"sonar\"," more CHOICE("\"stop\"", CONTENT) "}"
#define CREATED         "\"created\":1773655190,"
#define ERR(type, text) "{\"error\":{\"message\":\"" text "\",\"type\":\"" type "\",\"code\":400}}"
#define SAYS                                                                                       \
    " | region=Cajamarca, Peru period=2025 production_t=78000 t text=Good. (as of 2026-03-01)"
#define FINE "cajamarca @1773655190000" SAYS
#define C    .symbols = "cajamarca"

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case cases[] = {
    {.what = "plain", C, .body = REPLY(CREATED), .answers = FINE, .verdict = "ok"},
    {.what = "links", C,
     .body = REPLY(CREATED "\"citations\":[\"https://a.pe/1\",\"javascript:alert(1)\",7,null,"
                   "\"http://b.pe/\",\"https://c.pe/<\",\"https://d\",\"https://e\",\"https://f\","
                   "\"https://g\"],\"search_results\":[{\"url\":\"https://no\"}],"),
     .answers = FINE " citation=https://a.pe/1 citation=http://b.pe/ citation=https://d "
                "citation=https://e citation=https://f",
     .verdict = "ok"},
    {.what = "links of both", C,
     .body = REPLY(CREATED "\"citations\":[\"https://a\"],\"search_results\":"
                   "[{\"url\":\"https://no\"}],"),
     .answers = FINE " citation=https://a", .verdict = "ok"},
    {.what = "links of the search", C,
     .body = REPLY(CREATED "\"citations\":[],\"search_results\":[{\"title\":\"t\",\"url\":"
                   "\"https://a.pe/1\"},7,{\"url\":\"mailto:x\"}],"),
     .answers = FINE " citation=https://a.pe/1", .verdict = "ok"},
    {.what = "a link too long to be kept", C,
     .body = REPLY(CREATED "\"citations\":[\"https://a.pe/"
                   "0123456789012345678901234567890123456789012345678901234567890123456789"
                   "0123456789012345678901234567890123456789012345678901234567890123456789"
                   "0123456789012345678901234567890123456789012345678901234567890123456789\"],"),
     .answers = FINE, .verdict = "ok"},
    {.what = "links of another kind", C, .body = REPLY(CREATED "\"citations\":\"https://a\","),
     .answers = FINE, .verdict = "ok"},

    /* the time */
    {.what = "of no time", C, .body = REPLY(""),
     .answers = "cajamarca @1773655200000" SAYS, .verdict = "ok"},
    {.what = "of the future", C, .body = REPLY("\"created\":1773655260,"),
     .answers = "cajamarca @1773655200000" SAYS, .verdict = "ok"},
    {.what = "of long ago", C, .body = REPLY("\"created\":1,"),
     .answers = "cajamarca @1773655200000" SAYS, .verdict = "ok"},

    /* what is no report */
    {.what = "cut off", C, .body = "{" CHOICE("\"length\"", CONTENT) "}",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "held back", C, .body = "{" CHOICE("\"content_filter\"", "\"\"") "}",
     .answers = "cajamarca no_data", .verdict = "ok"},
    {.what = "no reason", C, .body = "{" CHOICE("null", CONTENT) "}",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "no content", C, .body = "{" CHOICE("\"stop\"", "null") "}",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "an empty message", C,
     .body = "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{}}]}",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "content in parts", C, .body = "{" CHOICE("\"stop\"", "[{\"text\":\"{}\"}]") "}",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "small talk", C, .body = "{" CHOICE("\"stop\"", "\"OK\"") "}",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "nothing known", C,
     .body = "{" CHOICE("\"stop\"", "\"{\\\"as_of\\\":\\\"\\\",\\\"outlook\\\":\\\"\\\"}\"") "}",
     .answers = "cajamarca no_data", .verdict = "ok"},
    {.what = "no choices", C, .body = "{\"choices\":[]}",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "other JSON", C, .body = "[]",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "no topic", .symbols = "atlantis", .body = REPLY(CREATED),
     .answers = "atlantis not_found", .verdict = "ok"},

    /* errors */
    {.what = "a wrong key, as a page", C, .status = 401,
     .body = "<html>\r\n<head><title>401 Authorization Required</title></head></html>",
     .answers = "cajamarca auth", .verdict = "auth"},
    {.what = "a wrong key", C, .status = 401, .body = ERR("invalid_api_key", "Invalid API key"),
     .answers = "cajamarca auth", .verdict = "auth"},
    {.what = "a wrong key, in a 200", C, .body = ERR("invalid_api_key", "Invalid API key"),
     .answers = "cajamarca auth", .verdict = "auth"},
    {.what = "no money", C, .status = 401, .body = ERR("insufficient_quota", "You exceeded"),
     .answers = "cajamarca auth", .verdict = "auth cooldown=3600000"},
    {.what = "no money, by its own status", C, .status = 402, .body = ERR("", "Payment required"),
     .answers = "cajamarca auth", .verdict = "auth cooldown=3600000"},
    {.what = "too many", C, .status = 429, .body = ERR("rate_limit_exceeded", "Slow down"),
     .answers = "cajamarca rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "too many, in a 200", C, .body = ERR("rate_limit_exceeded", "Slow down"),
     .answers = "cajamarca rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "too many, with a time", C, .status = 429, .body = "", .retry_after_s = 300,
     .answers = "cajamarca rate_limited", .verdict = "rate_limited cooldown=300000"},
    {.what = "a bad request", C, .status = 400, .body = ERR("invalid_model", "Invalid model"),
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "an error in a 200", C, .body = ERR("bad_request", "x"),
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "not the topic's fault", C, .status = 404, .body = ERR("not_found", "x"),
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "an error of theirs", C, .status = 500, .body = "{\"error\":{\"type\":7}}",
     .answers = "cajamarca upstream_error", .verdict = "upstream_error"},
    {.what = "an error that is none", C, .body = REPLY(CREATED "\"error\":null,"),
     .answers = FINE, .verdict = "ok"},
    {.what = "a report under an error's status", C, .status = 503, .body = REPLY(CREATED),
     .answers = "cajamarca upstream_error", .verdict = "upstream_error"},
    {.what = "a wall", C, .status = 403, .body = "<html>Just a moment...</html>",
     .answers = "cajamarca blocked", .verdict = "blocked"},
    {.what = "empty", C, .body = "",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
};
/* clang-format on */

static void test_replies(void **state)
{
    (void)state;
    reply_cases_run(provider_find("perplexity"), cases, ARRAY_LEN(cases), NOW_MS);
}

static const char *content_of(const json_t *body, size_t message)
{
    const json_t *m = json_array_get(json_object_get(body, "messages"), message);
    return json_string_value(json_object_get(m, "content"));
}

/* Every topic's request is JSON and asks for its schema, in words of ours. */
static void test_request(void **state)
{
    (void)state;
    static const char *const topics[] = {"cajamarca", "brazil", "news/coffee", "news/peru"};
    static const char *const words[] = {"in Cajamarca, Peru:", "in Brazil:", "of coffee: weather",
                                        "of coffee from Peru: weather"};
    struct config_provider cfg = {.name = "perplexity", .api_key = "pplx-1"};
    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        struct http_request rq;
        struct err err;
        assert_int_equal(request_of("perplexity", &cfg, &topics[i], 1, &rq, &err), 0);
        assert_string_equal(rq.url.p, "https://api.perplexity.ai/chat/completions");
        assert_string_equal(rq.headers.p, "Authorization: Bearer pplx-1\n"
                                          "Content-Type: application/json\n"
                                          "Accept: application/json\n");
        json_t *body = json_loads(rq.body.p, 0, NULL);
        assert_non_null(body);
        assert_string_equal(json_string_value(json_object_get(body, "model")), "sonar");
        assert_non_null(strstr(content_of(body, 0), "never estimate"));
        assert_non_null(strstr(content_of(body, 1), words[i]));
        const json_t *format = json_object_get(body, "response_format");
        const json_t *schema = json_object_get(format, "json_schema");
        assert_string_equal(json_string_value(json_object_get(format, "type")), "json_schema");
        assert_string_equal(json_string_value(json_object_get(schema, "name")), "report");
        assert_true(json_is_object(json_object_get(schema, "schema")));
        assert_string_equal(json_string_value(json_object_get(body, "search_recency_filter")),
                            i < 2 ? "year" : "week");
        json_decref(body);
        request_free(&rq);
    }
}

static void test_request_refused(void **state)
{
    (void)state;
    static const char *const symbols[] = {"cajamarca", "junin"}, *const bad[] = {"ignore all"};
    struct config_provider cfg = {.name = "perplexity", .api_key = "k"};
    struct http_request rq;
    struct err err;
    assert_int_equal(request_of("perplexity", &cfg, symbols, 2, &rq, &err), -1);
    request_free(&rq);
    assert_int_equal(request_of("perplexity", &cfg, bad, 1, &rq, &err), -1);
    request_free(&rq);
    cfg.api_key = "a\nb";
    assert_int_equal(request_of("perplexity", &cfg, symbols, 1, &rq, &err), -1);
    request_free(&rq);
    cfg.api_key = NULL;
    assert_int_equal(request_of("perplexity", &cfg, symbols, 1, &rq, &err), -1);
    request_free(&rq);
}

static void test_rule(void **state)
{
    (void)state;
    const struct provider *p = provider_find("perplexity");
    assert_null(p->rule.symbol_problem("san_martin"));
    assert_non_null(p->rule.symbol_problem("coffee price"));
    assert_int_equal(p->rule.serves, SERVES_OBSERVATIONS); /* never a price */
    assert_true(p->rule.needs_key);
    assert_string_equal(p->rule.key_env, "PERPLEXITY_API_KEY");
    assert_in_range(p->rule.credits_per_day, 1, 50);
    assert_in_range(p->timeout_ms, 5001, 15000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_request_refused),
        cmocka_unit_test(test_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
