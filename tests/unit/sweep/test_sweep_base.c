/* What everything else is made of, without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>

#include "../base/config_rig.h"
#include "arena.h"
#include "compression.h"
#include "grant.h"
#include "item.h"
#include "listen_host.h"
#include "log.h"
#include "metrics.h"
#include "observation.h"
#include "scarce.h"
#include "sweep.h"
#include "symtab.h"
#include "zone.h"

static const int64_t NOW_MS = 1767225600000;

/* --- text, memory, names --- */

static bool text_work(void *o)
{
    struct buf *b = o;
    char long_one[600];
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    buf_fini(b);
    buf_adds(b, "a");
    buf_addf(b, "%s %d", long_one, 7);
    buf_adds_json(b, "\"\x01 \xc3\xa9 \xff");
    for (int i = 0; i < 300; i++)
        buf_addc(b, 'c');
    listen_host_add_url(b, "fe80::1%eth0", true, 8443);
    return !b->failed;
}

static void *text_make(void)
{
    return calloc(1, sizeof(struct buf));
}

static void text_tell(void *o, struct buf *told)
{
    const struct buf *b = o;
    buf_add(told, b->p, b->len);
}

static void text_drop(void *o)
{
    buf_fini(o);
    free(o);
}

static bool arena_work(void *o)
{
    struct arena *a = arena_new();
    (void)o;
    if (!a)
        return false;
    for (size_t i = 0; i < 5; i++)
        (void)!arena_alloc(a, i, 100);
    (void)!arena_strdup(a, "text");
    bool ok = !arena_failed(a);
    arena_free(a);
    return ok;
}

static bool symtab_work(void *o)
{
    struct symtab *t = symtab_new(100);
    bool ok = t && symtab_add(t, "coffee", 1) == 0;
    (void)o;
    symtab_free(t);
    return ok;
}

static bool zone_work(void *o)
{
    struct err err;
    struct zone *z = zone_load("America/New_York", &err);
    (void)o;
    zone_free(z);
    return z != NULL;
}

/* --- JSON and items --- */

static const char quote_text[] =
    "{\"symbol\":\"coffee\",\"price\":2.94300000000000,\"ts\":1767225599000,\"recv\":1767225599412,"
    "\"seq\":\"19b2f0c6a00:1842\",\"source\":\"a source of which the name is rather long\","
    "\"state\":\"live\",\"market\":\"open\",\"a_long_name_to_make_the_lexer_grow\":[1,2,{\"b\":"
    "null}]}";
static const char observation_text[] =
    "{\"symbol\":\"coffee\",\"values\":{\"temperature_of_the_air_at_2m\":-21.4,\"rain\":0},"
    "\"text\":\"mainly clear, with what one may call a chance of rain\",\"ts\":1767225599000}";

struct items {
    struct item *quote, *late, *observation;
    struct err err;
};

static void *items_make(void)
{
    return calloc(1, sizeof(struct items));
}

static void items_forget(struct items *x)
{
    item_unref(x->quote);
    item_unref(x->late);
    item_unref(x->observation);
    *x = (struct items){0};
}

static bool items_work(void *o)
{
    struct items *x = o;
    items_forget(x);
    x->quote =
        item_parse(quote_text, sizeof quote_text - 1, INSTRUMENT_QUOTE, "coffee", NOW_MS, &x->err);
    if (x->quote)
        x->late = item_delayed(x->quote, INSTRUMENT_QUOTE, 60, NOW_MS, &x->err);
    x->observation = item_parse(observation_text, sizeof observation_text - 1,
                                INSTRUMENT_OBSERVATION, "coffee", NOW_MS, &x->err);
    if (x->late && x->observation)
        return true;
    assert_string_equal(x->err.text, "out of memory");
    return false;
}

static void items_tell(void *o, struct buf *told)
{
    const struct items *x = o;
    char price[DECIMAL_TEXT_MAX];
    decimal_format(x->quote->price, price);
    buf_addf(told, "%s %s %d members\n", price, x->quote->source, x->quote->members_len);
    item_render(x->late, STATE_STALE, told);
    item_render(x->observation, STATE_LIVE, told);
}

static void items_drop(void *o)
{
    items_forget(o);
    free(o);
}

static bool grant_work(void *o)
{
    struct err err;
    json_t *list = jsonx_parse("[\"coffee\",\"EUR/*\"]", 18, 100, &err);
    struct grant_symbols *s = list ? grant_symbols_new(list, &err) : NULL;
    struct grant g = {.role = ROLE_VIEWER, .symbols = s};
    bool ok = s && grant_allows(&g, "EUR/USD") && !grant_allows(&g, "tea");
    (void)o;
    grant_fini(&g);
    json_decref(list);
    return ok;
}

static bool json_text_work(void *o)
{
    json_t *made = jsonx_text("a name in Latin-1: caf\xe9", 23);
    bool ok = made != NULL;
    (void)o;
    json_decref(made);
    return ok;
}

static bool encode_work(void *o)
{
    struct buf *b = o;
    struct observation seen = {.values_len = 1, .text = "mainly clear"};
    struct quote q = {.symbol = "coffee", .source = "yahoo", .source_symbol = "KC=F", .ts_ms = 1};
    const struct observation_envelope e = {.name = "rain",
                                           .category = "weather",
                                           .ts_ms = NOW_MS,
                                           .source = "sim",
                                           .source_symbol = "X"};
    snprintf(seen.values[0].name, sizeof seen.values[0].name, "value");
    seen.values[0].value = q.price = q.prev_close = decimal_from_int(3);
    buf_fini(b);
    quote_encode(&q, b);
    observation_encode(&seen, &e, b);
    return !b->failed;
}

/* --- metrics: an update without memory is lost, by the manual --- */

static void *metrics_make(void)
{
    return calloc(1, sizeof(struct metrics));
}

static bool metrics_work(void *o)
{
    struct metrics *m = o;
    struct buf text = {0};
    for (char name[2] = "a"; name[0] < 'm'; name[0]++) {
        metrics_add(m, METRIC_REJECTED, name, NULL, 1);
        metrics_set(m, METRIC_QUALITY, name, "pass", 1);
    }
    metrics_render(m, &text);
    bool ok = !text.failed;
    buf_fini(&text);
    return ok;
}

static void metrics_drop(void *o)
{
    metrics_fini(o);
    free(o);
}

/* --- compression --- */

struct wire {
    struct compressor *c;
    struct decompressor *d;
    struct decompress_window window;
    struct buf text;
};

static void *wire_make(void)
{
    return calloc(1, sizeof(struct wire));
}

static void wire_forget(struct wire *w)
{
    compressor_free(w->c);
    decompressor_free(w->d);
    decompress_window_fini(&w->window);
    buf_fini(&w->text);
    *w = (struct wire){0};
}

/* What could not be compressed is left as it was: that is no failure. */
static bool wire_send(struct wire *w, const char *text)
{
    struct buf message = {0};
    buf_adds(&message, text);
    bool ok = !message.failed;
    if (ok && compressor_replace(w->c, &message, 0))
        ok = decompressor_message(w->d, &w->window, message.p, message.len, 4096, &w->text) ==
             DECOMPRESS_OK;
    else if (ok)
        buf_add(&w->text, message.p, message.len);
    buf_fini(&message);
    return ok && !w->text.failed;
}

static bool wire_work(void *o)
{
    struct wire *w = o;
    wire_forget(w);
    w->c = compressor_new();
    w->d = decompressor_new();
    return w->c && w->d && wire_send(w, quote_text) && wire_send(w, observation_text);
}

static void wire_tell(void *o, struct buf *told)
{
    text_tell(&((struct wire *)o)->text, told);
}

static void wire_drop(void *o)
{
    wire_forget(o);
    free(o);
}

/* --- the configuration --- */

static const char config_text[] =
    "{\"listen\":{\"port\":8080,\"trusted_proxies\":[\"127.0.0.1/32\",\"$PROXY\"]},"
    "\"auth\":{\"keys\":[{\"name\":\"desk\",\"role\":\"analyst\",\"symbols\":[\"A\",\"EUR/*\"],"
    "\"sha256\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}],"
    "\"jwt\":{\"alg\":\"HS256\",\"secret\":\"$SECRET\"}},\"origins\":[\"https://a.example\"],"
    "\"exchanges\":[{\"name\":\"HOUSE\",\"timezone\":\"UTC\",\"hours\":[\"Mon-Fri 09:00-12:30\"]}],"
    "\"jobs\":{\"market\":{\"times\":[\"06:00\"]}},"
    "\"providers\":{\"twelvedata\":{\"api_key\":\"$KEY\"}},"
    "\"instruments\":[{\"symbol\":\"A\",\"category\":\"c\",\"range\":[0.5,10.25],\"sources\":"
    "[{\"provider\":\"sim\",\"symbol\":\"X\"},{\"provider\":\"twelvedata\",\"symbol\":\"A\"}]}],"
    "\"observations\":[{\"name\":\"rain\",\"sources\":[{\"provider\":\"weather\",\"symbol\":\"1\"}]"
    "}]}";
static const char wrong_text[] =
    "{\"listen\":{\"prot\":1,\"port\":\"x\"},\"breaker\":7,\"providers\":{\"yaho\":{}},"
    "\"log\":{\"level\":\"loud\"},\"instruments\":[{\"symbol\":\"A\",\"sources\":"
    "[{\"provider\":\"smi\",\"symbol\":\"X\"}]},{\"symbol\":\"A\"}]}";
static const char *const config_env[] = {"SECRET=0123456789012345678901234567890123456789",
                                         "PROXY=10.0.0.0/8",
                                         "PRICEGATE_LISTEN_HOST=127.0.0.1",
                                         "MARKET_REFRESH_TIMES=07:00,08:30",
                                         "PRICEGATE_NOTHING=1",
                                         NULL};

struct loading {
    const char *text;
    struct config *c;
    struct buf problems, warnings;
};

static void loading_forget(struct loading *l)
{
    config_free(l->c);
    buf_fini(&l->problems);
    buf_fini(&l->warnings);
    l->c = NULL;
}

/* Wrong or not, all of it must be said; there is nothing between that and "out of memory". */
static bool loading_work(void *o)
{
    struct loading *l = o;
    const struct config_input in = {.text = l->text,
                                    .len = strlen(l->text),
                                    .environ_list = config_env,
                                    .providers = rules,
                                    .providers_len = ARRAY_LEN(rules)};
    loading_forget(l);
    l->c = config_load(&in, &l->problems, &l->warnings);
    if (l->c)
        return !l->warnings.failed;
    return !l->problems.failed && !l->warnings.failed && !strstr(l->problems.p, "of memory");
}

static void loading_tell(void *o, struct buf *told)
{
    const struct loading *l = o;
    buf_addf(told, "%s|%s", l->problems.p ? l->problems.p : "", l->warnings.p);
    if (!l->c)
        return;
    const struct instrument *in = &l->c->instruments[0];
    char max[DECIMAL_TEXT_MAX];
    decimal_format(in->range_max, max);
    buf_addf(told, "%s %s %s %zu %s %s %zu %s %s %s %zu", l->c->listen.host,
             l->c->listen.trusted_proxies[1], l->c->auth.jwt.secret, l->c->auth.keys_len,
             l->c->auth.keys[0].symbols[1], in->symbol, in->sources_len, in->sources[1].symbol, max,
             l->c->providers[1].why_disabled, l->c->jobs.market.times_len);
}

static void loading_drop(void *o)
{
    loading_forget(o);
    free(o);
}

static void *right_make(void)
{
    struct loading *l = calloc(1, sizeof *l);
    l->text = config_text;
    return l;
}

static void *wrong_make(void)
{
    struct loading *l = calloc(1, sizeof *l);
    l->text = wrong_text;
    return l;
}

/* --- */

static void each_allocation_fails_once(void **state)
{
    static const struct sweep all[] = {
        {"text",               text_make,    text_work,      text_tell,    text_drop   },
        {"an arena",           NULL,         arena_work,     NULL,         NULL        },
        {"a table of symbols", NULL,         symtab_work,    NULL,         NULL        },
        {"a time zone",        NULL,         zone_work,      NULL,         NULL        },
        {"items",              items_make,   items_work,     items_tell,   items_drop  },
        {"a grant",            NULL,         grant_work,     NULL,         NULL        },
        {"a text of JSON",     NULL,         json_text_work, NULL,         NULL        },
        {"encoding",           text_make,    encode_work,    text_tell,    text_drop   },
        {"metrics",            metrics_make, metrics_work,   NULL,         metrics_drop},
        {"compression",        wire_make,    wire_work,      wire_tell,    wire_drop   },
        {"a configuration",    right_make,   loading_work,   loading_tell, loading_drop},
        {"a wrong one",        wrong_make,   loading_work,   loading_tell, loading_drop},
    };
    (void)state;
    sweep_run_all(all, ARRAY_LEN(all));
}

/* A line that cannot be made is counted. */
static void a_line_of_the_log_is_counted(void **state)
{
    uint64_t before = log_lines_lost();
    (void)state;
    scarce_begin(0, SCARCE_ONCE);
    log_event(LOG_ERROR, "never_written", "why=%s", "no memory");
    assert_true(scarce_end());
    assert_int_equal(log_lines_lost(), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(a_line_of_the_log_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
