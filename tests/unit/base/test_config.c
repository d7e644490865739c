/* Whole configurations: what a good one becomes, and that a bad one tells every problem. The bad
 * ones lie in config_cases/: NAME.json is the file, NAME.problems the exact lines that must come
 * out (none: it is valid), NAME.env the environment. tests/e2e/schema.test.js holds the same files
 * against the JSON Schema. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "config.h"
#include "embedded.h"
#include "symtab.h"

#define CASES SOURCE_DIR "/tests/unit/base/config_cases"

static const char *pair_problem(const char *symbol)
{
    return strchr(symbol, ' ') ? "no blanks, as AAPL or EUR/USD" : NULL;
}

/* Like the rows of the real providers. */
static const struct config_provider_rule rules[] = {
    {.name = "sim",              .enabled_by_default = true},
    {.name = "twelvedata",
     .key_env = "TWELVE_DATA_API_KEY",
     .needs_key = true,
     .enabled_by_default = true,
     .credits_per_minute = 8,
     .credits_per_day = 800,
     .symbol_problem = pair_problem},
    {.name = "yahoo", .enabled_by_default = true                               },
};

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
static const struct config *good(struct fixture *f, const char *text, const char *const *env)
{
    if (!load(f, text, env))
        fail_msg("not valid: %s\n%s", text, text_of(&f->problems));
    return f->c;
}

/* Loads what must not be valid; returns the problems. */
static const char *bad(struct fixture *f, const char *text, const char *const *env)
{
    if (load(f, text, env))
        fail_msg("valid: %s", text);
    return text_of(&f->problems);
}

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    config_free(f->c);
    buf_fini(&f->problems);
    buf_fini(&f->warnings);
    free(f);
    return 0;
}

static void empty_object_has_all_defaults(void **state)
{
    const struct config *c = good(*state, "{}", NULL);
    assert_string_equal(c->listen.host, "127.0.0.1");
    assert_int_equal(c->listen.port, 8080);
    assert_int_equal(c->listen.metrics_port, -1);
    assert_null(c->listen.tls_cert);
    assert_null(c->listen.tls_key);
    assert_null(c->listen.web_root);
    assert_int_equal(c->listen.trusted_proxies_len, 0);
    assert_false(c->listen.share);
    assert_string_equal(c->redis.url, "");
    assert_string_equal(c->redis.prefix, "");
    assert_int_equal(c->auth.anonymous_role, ROLE_VIEWER);
    assert_int_equal(c->auth.keys_len, 0);
    assert_int_equal(c->origins_len, 0);
    assert_int_equal(c->limits.connections, 0);
    assert_int_equal(c->limits.connections_per_ip, 0);
    assert_int_equal(c->limits.accept_per_s, 0);
    assert_int_equal(c->limits.symbols_per_connection, 500);
    assert_int_equal(c->limits.message_bytes, 65536);
    assert_int_equal(c->limits.commands_per_minute, 240);
    assert_int_equal(c->fanout.flush_ms, 10);
    assert_int_equal(c->fanout.heartbeat_ms, 20000);
    assert_int_equal(c->fanout.sndbuf_bytes, 131072);
    assert_false(c->fanout.compression);
    assert_int_equal(c->breaker.threshold, 3);
    assert_int_equal(c->breaker.timeout_s, 300);
    assert_int_equal(c->drain_s, 5);
    assert_true(c->feeds_enabled);
    assert_true(c->log.json);
    assert_int_equal(c->log.level, LOG_INFO);
    assert_int_equal(c->instruments_len, 0);
    assert_int_equal(c->providers_len, 3);
}

static void instrument_defaults(void **state)
{
    const struct config *c = good(*state, "{\"instruments\":[{\"symbol\":\"EUR/USD\"}]}", NULL);
    const struct instrument *in = &c->instruments[0];
    assert_int_equal(c->instruments_len, 1);
    assert_string_equal(in->symbol, "EUR/USD");
    assert_string_equal(in->name, "EUR/USD");
    assert_string_equal(in->category, "prices");
    assert_null(in->unit);
    assert_null(in->currency);
    assert_null(in->exchange);
    assert_false(in->range_min.given);
    assert_false(in->range_max.given);
    assert_int_equal(in->poll_ms, 15000);
    assert_int_equal(in->stale_after_ms, 0);
    assert_int_equal(in->delayed_after_ms, 60000);
    assert_int_equal(in->ttl_s, 120);
    assert_true(in->max_jump_pct == 20.0);
    assert_int_equal(in->sources_len, 0);
}

static const char full[] =
    "{\"listen\":{\"host\":\"::\",\"port\":0,\"tls\":{\"cert\":\"c.pem\",\"key\":\"k.pem\"},"
    "  \"metrics_port\":9100,\"trusted_proxies\":[\"10.0.0.0/8\",\"fd00::/8\"],\"share\":true,"
    "  \"web_root\":\"/srv/web\"},"
    " \"redis\":{\"url\":\"redis://u:p%40ss@[::1]:6380/2\",\"prefix\":\"test:\"},"
    " \"auth\":{\"anonymous_role\":null,\"keys\":[{\"name\":\"ops\",\"role\":\"admin\",\"sha256\":"
    "  \"00ff102030405060708090A0b0c0d0e0f0112233445566778899aabbccddeeff\"}]},"
    " \"origins\":[\"https://app.example:8443\"],"
    " \"limits\":{\"connections\":9,\"connections_per_ip\":2,\"symbols_per_connection\":3,"
    "  \"message_bytes\":1000,\"commands_per_minute\":60,\"accept_per_s\":7},"
    " \"fanout\":{\"flush_ms\":1,\"heartbeat_ms\":100,\"sndbuf_bytes\":4096,\"compression\":false},"
    " \"breaker\":{\"threshold\":1,\"timeout_s\":1},\"drain_s\":0,"
    " \"log\":{\"format\":\"logfmt\",\"level\":\"debug\"},"
    " \"providers\":{\"yahoo\":{\"base_url\":\"http://127.0.0.1:9\",\"credits_per_minute\":30,"
    "  \"credits_per_day\":5000,\"account\":\"a\",\"api_key\":\"k\"},\"sim\":{\"enabled\":false}},"
    " \"instruments\":[{\"symbol\":\"coffee\",\"name\":\"Caf\\u00e9\",\"category\":\"coffee_"
    "prices\","
    "  \"unit\":\"USD/lb\",\"currency\":\"USD\",\"range\":[0.5,10],\"exchange\":\"ICE\","
    "  \"poll_ms\":100,\"stale_after_ms\":5000,\"delayed_after_ms\":0,\"ttl_s\":1,"
    "  \"max_jump_pct\":2.5,\"sources\":[{\"provider\":\"twelvedata\",\"symbol\":\"KC1\"},"
    "  {\"provider\":\"yahoo\",\"symbol\":\"KC=F\"}]}]}";

static void every_key_arrives(void **state)
{
    const struct config *c = good(*state, full, NULL);
    assert_string_equal(c->listen.host, "::");
    assert_int_equal(c->listen.port, 0);
    assert_string_equal(c->listen.tls_cert, "c.pem");
    assert_string_equal(c->listen.tls_key, "k.pem");
    assert_int_equal(c->listen.metrics_port, 9100);
    assert_int_equal(c->listen.trusted_proxies_len, 2);
    assert_string_equal(c->listen.trusted_proxies[1], "fd00::/8");
    assert_true(c->listen.share);
    assert_string_equal(c->listen.web_root, "/srv/web");
    assert_string_equal(c->redis.url, "redis://u:p%40ss@[::1]:6380/2");
    assert_string_equal(c->redis.prefix, "test:");
    assert_int_equal(c->auth.anonymous_role, ROLE_NONE);
    assert_int_equal(c->auth.keys_len, 1);
    assert_string_equal(c->auth.keys[0].name, "ops");
    assert_int_equal(c->auth.keys[0].role, ROLE_ADMIN);
    static const unsigned char digest[32] = {0x00, 0xff, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60,
                                             0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0,
                                             0xf0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                             0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    assert_memory_equal(c->auth.keys[0].sha256, digest, sizeof digest);
    assert_int_equal(c->origins_len, 1);
    assert_string_equal(c->origins[0], "https://app.example:8443");
    assert_int_equal(c->limits.connections, 9);
    assert_int_equal(c->limits.connections_per_ip, 2);
    assert_int_equal(c->limits.symbols_per_connection, 3);
    assert_int_equal(c->limits.message_bytes, 1000);
    assert_int_equal(c->limits.commands_per_minute, 60);
    assert_int_equal(c->limits.accept_per_s, 7);
    assert_int_equal(c->fanout.flush_ms, 1);
    assert_int_equal(c->fanout.heartbeat_ms, 100);
    assert_int_equal(c->fanout.sndbuf_bytes, 4096);
    assert_int_equal(c->breaker.threshold, 1);
    assert_int_equal(c->breaker.timeout_s, 1);
    assert_int_equal(c->drain_s, 0);
    assert_false(c->log.json);
    assert_int_equal(c->log.level, LOG_DEBUG);
}

static void providers_and_instruments_arrive(void **state)
{
    const struct config *c = good(*state, full, NULL);
    const struct config_provider *y = &c->providers[2];
    assert_string_equal(y->name, "yahoo");
    assert_true(y->enabled);
    assert_string_equal(y->base_url, "http://127.0.0.1:9");
    assert_string_equal(y->account, "a");
    assert_string_equal(y->api_key, "k");
    assert_int_equal(y->credits_per_minute, 30);
    assert_int_equal(y->credits_per_day, 5000);
    assert_int_equal(c->providers[1].credits_per_minute, 8);
    assert_int_equal(c->providers[1].credits_per_day, 800);

    const struct instrument *in = &c->instruments[0];
    char text[DECIMAL_TEXT_MAX];
    assert_string_equal(in->name, "Caf\xC3\xA9");
    assert_string_equal(in->category, "coffee_prices");
    assert_string_equal(in->unit, "USD/lb");
    assert_string_equal(in->currency, "USD");
    assert_string_equal(in->exchange, "ICE");
    decimal_format(in->range_min, text);
    assert_string_equal(text, "0.5");
    decimal_format(in->range_max, text);
    assert_string_equal(text, "10");
    assert_int_equal(in->poll_ms, 100);
    assert_int_equal(in->stale_after_ms, 5000);
    assert_int_equal(in->delayed_after_ms, 0);
    assert_int_equal(in->ttl_s, 1);
    assert_true(in->max_jump_pct == 2.5);
    assert_int_equal(in->sources_len, 2);
    assert_string_equal(in->sources[0].provider, "twelvedata");
    assert_int_equal(in->sources[0].provider_id, 1);
    assert_string_equal(in->sources[1].symbol, "KC=F");
    assert_int_equal(in->sources[1].provider_id, 2);
    assert_int_equal(symtab_find(c->symbols, "coffee", 6), 0);
    assert_int_equal(symtab_find(c->symbols, "tea", 3), -1);
}

static void disabled_providers_say_why(void **state)
{
    const struct config *c = good(*state, "{\"providers\":{\"sim\":{\"enabled\":false}}}", NULL);
    assert_false(c->providers[0].enabled);
    assert_string_equal(c->providers[0].why_disabled, "switched off in the configuration");
    assert_false(c->providers[1].enabled);
    assert_string_equal(c->providers[1].why_disabled, "no api_key: TWELVE_DATA_API_KEY is not set");
    assert_true(c->providers[2].enabled);
    assert_null(c->providers[2].why_disabled);

    c = good(*state,
             "{\"providers\":{\"twelvedata\":{\"api_key\":\"$MY_KEY\"},"
             "\"yahoo\":{\"base_url\":\"$MY_PROXY\"}}}",
             NULL);
    assert_string_equal(c->providers[1].why_disabled, "no api_key: MY_KEY is not set");
    assert_false(c->providers[2].enabled);
    assert_string_equal(c->providers[2].why_disabled, "no base_url: MY_PROXY is not set");
}

static void key_of_a_provider(void **state)
{
    static const char text[] = "{\"providers\":{\"twelvedata\":{\"api_key\":\"$MY_KEY\"}}}";
    static const char *const mine[] = {"MY_KEY=one", NULL};
    static const char *const usual[] = {"MY_KEY=one", "TWELVE_DATA_API_KEY=two", NULL};
    static const char *const own[] = {"MY_KEY=one", "TWELVE_DATA_API_KEY=two",
                                      "PRICEGATE_PROVIDERS_TWELVEDATA_API_KEY=three", NULL};
    static const char *const empty[] = {"TWELVE_DATA_API_KEY=", NULL};
    assert_string_equal(good(*state, text, mine)->providers[1].api_key, "one");
    assert_string_equal(good(*state, text, usual)->providers[1].api_key, "two");
    assert_string_equal(good(*state, text, own)->providers[1].api_key, "three");
    const struct config_provider *p = &good(*state, "{}", empty)->providers[1];
    assert_null(p->api_key);
    assert_string_equal(p->why_disabled, "no api_key: TWELVE_DATA_API_KEY is not set");
}

static void dollar_strings(void **state)
{
    static const char *const env[] = {"HOST=10.0.0.1", "PORT=81", "SHARE=yes",
                                      "O=https://a.b", "EMPTY=",  NULL};
    const struct config *c =
        good(*state,
             "{\"listen\":{\"host\":\"$HOST\",\"port\":\"$PORT\",\"share\":\"$SHARE\"},"
             "\"redis\":{\"url\":\"$EMPTY\",\"prefix\":\"$$p\"},\"origins\":[\"$O\"]}",
             env);
    assert_string_equal(c->listen.host, "10.0.0.1");
    assert_int_equal(c->listen.port, 81);
    assert_true(c->listen.share);
    assert_string_equal(c->redis.url, "");
    assert_string_equal(c->redis.prefix, "$p");
    assert_string_equal(c->origins[0], "https://a.b");
    assert_string_equal(bad(*state, "{\"listen\":{\"host\":\"$NO\"},\"origins\":[\"$NO\"]}", env),
                        "listen.host: environment variable NO is not set\n"
                        "origins[0]: environment variable NO is not set\n");
    assert_string_equal(bad(*state, "{\"listen\":{\"host\":\"$EMPTY\",\"port\":\"$HOST\"}}", env),
                        "listen.host: environment variable EMPTY is not set\n"
                        "listen.port: must be a whole number 0..65535, not \"10.0.0.1\"\n");
    assert_string_equal(bad(*state, "{\"listen\":{\"host\":\"$\"}}", env),
                        "listen.host: must name an environment variable behind the $; a text that "
                        "begins with $ is written with $$\n");
}

static void environment_wins(void **state)
{
    static const char *const env[] = {"PRICEGATE_LISTEN_PORT=1234",
                                      "PRICEGATE_FANOUT_FLUSH_MS=50",
                                      "PRICEGATE_LISTEN_TLS_CERT=c",
                                      "PRICEGATE_LISTEN_TLS_KEY=k",
                                      "PRICEGATE_LISTEN_SHARE=on",
                                      "PRICEGATE_PROVIDERS_YAHOO_BASE_URL=http://h:1",
                                      "PRICEGATE_AUTH_ANONYMOUS_ROLE=null",
                                      "PRICEGATE_LOG_FORMAT=logfmt",
                                      "REDIS_URL=unix:///run/r?db=3",
                                      "REALTIME_PRICE_FEED_ENABLED=false",
                                      "DATA_PIPELINE_CIRCUIT_BREAKER_THRESHOLD=9",
                                      "DATA_PIPELINE_CIRCUIT_BREAKER_TIMEOUT_S=8",
                                      "PRICEGATE_LISTEN_HOST=",
                                      "PRICEGATE_CONFIG=x.json",
                                      "PERPLEXITY_API_KEY=p",
                                      "MARKET_REFRESH_TIMES=1",
                                      "DATA_PIPELINE_MAX_RETRIES=4",
                                      NULL};
    struct fixture *f = *state;
    const struct config *c = good(f, "{\"listen\":{\"port\":1,\"host\":\"h\"}}", env);
    assert_int_equal(c->listen.port, 1234);
    assert_string_equal(c->listen.host, "h");
    assert_int_equal(c->fanout.flush_ms, 50);
    assert_string_equal(c->listen.tls_cert, "c");
    assert_string_equal(c->listen.tls_key, "k");
    assert_true(c->listen.share);
    assert_string_equal(c->providers[2].base_url, "http://h:1");
    assert_int_equal(c->auth.anonymous_role, ROLE_NONE);
    assert_false(c->log.json);
    assert_string_equal(c->redis.url, "unix:///run/r?db=3");
    assert_false(c->feeds_enabled);
    assert_int_equal(c->breaker.threshold, 9);
    assert_int_equal(c->breaker.timeout_s, 8);
    assert_string_equal(text_of(&f->warnings), "");
}

static void own_names_win_over_common_ones(void **state)
{
    static const char *const env[] = {"PRICEGATE_REDIS_URL=", "REDIS_URL=redis://a", NULL};
    static const char *const off[] = {"REDIS_URL=", NULL};
    static const char text[] = "{\"redis\":{\"url\":\"redis://b\"}}";
    assert_string_equal(good(*state, text, env)->redis.url, "");
    assert_string_equal(good(*state, text, off)->redis.url, "");
    assert_string_equal(good(*state, text, NULL)->redis.url, "redis://b");
}

static void bad_variables_are_named(void **state)
{
    static const char *const env[] = {
        "PRICEGATE_LISTEN_PORT=99999",         "REDIS_URL=http://u:secret@h",
        "REALTIME_PRICE_FEED_ENABLED=perhaps", "PRICEGATE_LISTEN_METRICS_PORT=12x",
        "PRICEGATE_AUTH_JWT_SECRET=s",         NULL};
    const char *problems = bad(*state, "{\"drain_s\":-1}", env);
    assert_string_equal(
        problems,
        "drain_s: must be 0..300, not -1\n"
        "REALTIME_PRICE_FEED_ENABLED: must be true or false, not \"perhaps\"\n"
        "PRICEGATE_LISTEN_METRICS_PORT: must be a whole number 0..65535, not \"12x\"\n"
        "PRICEGATE_LISTEN_PORT: must be 0..65535, not 99999\n"
        "REDIS_URL: must be \"\" (the embedded bus), redis://[user:pass@]host[:port][/db] or "
        "unix:///path[?db=N]\n"
        "PRICEGATE_AUTH_JWT_SECRET: not built yet, remove it\n");
    assert_null(strstr(problems, "secret@"));
}

static void unknown_variables_are_warned_about(void **state)
{
    static const char *const env[] = {"PRICEGATE_LISTEN_PROT=1",
                                      "PRICEGATE_XYZZY=2",
                                      "PRICEGATE_ORIGINS=https://a.b",
                                      "PRICEGATER=3",
                                      "PRICEGATE_PROVIDERS_YAHO_ENABLED=false",
                                      NULL};
    struct fixture *f = *state;
    good(f, "{}", env);
    assert_string_equal(
        text_of(&f->warnings),
        "PRICEGATE_LISTEN_PROT: not a setting, ignored (did you mean PRICEGATE_LISTEN_PORT?)\n"
        "PRICEGATE_XYZZY: not a setting, ignored\n"
        "PRICEGATE_ORIGINS: not a setting, ignored\n"
        "PRICEGATE_PROVIDERS_YAHO_ENABLED: not a setting, ignored (did you mean "
        "PRICEGATE_PROVIDERS_YAHOO_ENABLED?)\n");
}

static void broken_json_gives_line_and_column(void **state)
{
    const char *problems = bad(*state, "{\n  \"listen\": {\"port\" 1}\n}", NULL);
    assert_non_null(strstr(problems, "line 2, column"));
    assert_non_null(strstr(bad(*state, "", NULL), "line 1"));
    assert_non_null(strstr(bad(*state, "{\"drain_s\":1,\"drain_s\":2}", NULL), "duplicate"));
    assert_string_equal(bad(*state, "[]", NULL),
                        "(the whole file): must be an object, not a list\n");
}

static void secrets_are_not_repeated(void **state)
{
    const char *problems = bad(*state,
                               "{\"redis\":{\"url\":\"http://:hunter2@h\"},\"auth\":{\"keys\":["
                               "{\"name\":\"n\",\"role\":\"admin\",\"sha256\":\"hunter2\"}]},"
                               "\"providers\":{\"twelvedata\":{\"api_key\":\"hunter2\\n\"}}}",
                               NULL);
    assert_null(strstr(problems, "hunter2"));
    assert_non_null(strstr(problems, "redis.url: "));
    assert_non_null(strstr(problems, "auth.keys[0].sha256: "));
    assert_non_null(strstr(problems, "providers.twelvedata.api_key: "));
}

static void variables_must_be_utf8(void **state)
{
    static const char *const env[] = {"BAD=\xFF", NULL};
    assert_string_equal(bad(*state,
                            "{\"origins\":[\"https://a.b\",\"$BAD\"],\"listen\":{"
                            "\"web_root\":\"$BAD\"}}",
                            env),
                        "listen.web_root: is not UTF-8\norigins[1]: is not UTF-8\n");
}

static long allocations_left;

static void *failing_malloc(size_t n)
{
    return allocations_left-- > 0 ? malloc(n) : NULL;
}

/* Every allocation of the JSON library fails once: no configuration that lacks something may come
 * out, and nothing may leak. */
static void out_of_memory_is_no_configuration(void **state)
{
    struct fixture *f = *state;
    static const char *const env[] = {"PRICEGATE_DRAIN_S=7", NULL};
    long n = 0;
    json_set_alloc_funcs(failing_malloc, free);
    for (const struct config *c = NULL; !c; n++) {
        allocations_left = n;
        c = load(f, full, env);
        if (c) {
            assert_int_equal(c->drain_s, 7);
            assert_int_equal(c->listen.metrics_port, 9100);
            assert_string_equal(c->origins[0], "https://app.example:8443");
            assert_int_equal(c->instruments[0].sources_len, 2);
            assert_true(allocations_left >= 0);
        }
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(n > 100);
}

/* The whole file as text, or NULL when it is not there. */
static char *read_file(const char *path)
{
    struct buf b = {0};
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *to;
    size_t n;
    while ((to = buf_reserve(&b, 4096)) && (n = fread(to, 1, 4096, f)) > 0)
        b.len += n;
    fclose(f);
    return buf_take(&b, NULL);
}

/* Cuts text into lines, NULL behind the last one. */
static void split_lines(char *text, const char **lines, size_t max)
{
    size_t n = 0;
    for (char *save, *l = text ? strtok_r(text, "\n", &save) : NULL; l && n + 1 < max;
         l = strtok_r(NULL, "\n", &save))
        lines[n++] = l;
    lines[n] = NULL;
}

static int run_case(struct fixture *f, const char *name)
{
    char path[1024];
    const char *env[32];
    snprintf(path, sizeof path, "%s/%s.json", CASES, name);
    char *text = read_file(path);
    snprintf(path, sizeof path, "%s/%s.problems", CASES, name);
    char *expected = read_file(path);
    snprintf(path, sizeof path, "%s/%s.env", CASES, name);
    char *variables = read_file(path);
    split_lines(variables, env, ARRAY_LEN(env));
    load(f, text, env);
    int wrong = strcmp(expected ? expected : "", text_of(&f->problems)) != 0;
    if (wrong)
        print_error("case %s\n--- expected:\n%s--- is:\n%s", name, expected ? expected : "",
                    text_of(&f->problems));
    free(text);
    free(expected);
    free(variables);
    return wrong;
}

static void all_cases(void **state)
{
    int cases = 0, wrong = 0;
    DIR *d = opendir(CASES);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".json") != 0)
            continue;
        *dot = '\0';
        wrong += run_case(*state, e->d_name);
        cases++;
    }
    closedir(d);
    assert_true(cases >= 40);
    assert_int_equal(wrong, 0);
}

static const char *embedded(const char *path)
{
    const struct embedded_file *e = embedded_files;
    while (e->path && strcmp(e->path, path) != 0)
        e++;
    assert_non_null(e->path);
    return e->begin;
}

static size_t count_categories(const struct config *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->instruments_len; i++) {
        size_t k = 0;
        while (k < i && strcmp(c->instruments[k].category, c->instruments[i].category) != 0)
            k++;
        n += k == i;
    }
    return n;
}

static void shipped_default_is_valid(void **state)
{
    static const char *const key[] = {"TWELVE_DATA_API_KEY=k", NULL};
    const struct config *c = good(*state, embedded("gateway/config/default.json"), NULL);
    assert_in_range(c->instruments_len, 9, 14);
    assert_int_equal(count_categories(c), 5);
    assert_false(c->providers[1].enabled);
    assert_true(c->providers[2].enabled);
    for (size_t i = 0; i < c->instruments_len; i++) {
        const struct instrument *in = &c->instruments[i];
        bool yahoo = false;
        assert_true(in->range_min.given);
        assert_non_null(in->currency);
        for (size_t k = 0; k < in->sources_len; k++)
            yahoo = yahoo || strcmp(in->sources[k].provider, "yahoo") == 0;
        assert_true(yahoo); /* works without any key */
    }
    c = good(*state, embedded("gateway/config/default.json"), key);
    assert_true(c->providers[1].enabled);
    assert_string_equal(c->providers[1].api_key, "k");
}

static void shipped_demo_is_valid(void **state)
{
    const struct config *c = good(*state, embedded("gateway/config/demo.json"), NULL);
    assert_in_range(c->instruments_len, 17, 23);
    assert_int_equal(count_categories(c), 4);
    assert_true(c->providers[0].enabled);
    for (size_t i = 0; i < c->instruments_len; i++) {
        const struct instrument *in = &c->instruments[i];
        assert_in_range(in->poll_ms, 200, 500);
        assert_true(in->range_min.given);
        assert_int_equal(in->sources_len, 1);
        assert_string_equal(in->sources[0].provider, "sim");
        assert_string_equal(in->sources[0].symbol, in->symbol);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_object_has_all_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(instrument_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_key_arrives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(providers_and_instruments_arrive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(disabled_providers_say_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(key_of_a_provider, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dollar_strings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(environment_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(own_names_win_over_common_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_variables_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_variables_are_warned_about, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_json_gives_line_and_column, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secrets_are_not_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(variables_must_be_utf8, set_up, tear_down),
        cmocka_unit_test_setup_teardown(out_of_memory_is_no_configuration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_cases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shipped_default_is_valid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shipped_demo_is_valid, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
