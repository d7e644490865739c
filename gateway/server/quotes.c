/* quotes.c - prices, observations and instruments over REST.
 *
 * Quotes and observations are asked for in the same ways and differ in their names only. A body is
 * the item as it travels everywhere, with its `state` replaced by the current one; so the entity
 * tag, made from the body, changes when the state does. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "handlers.h"
#include "jsonx.h"
#include "server_private.h"
#include "symbol.h"
#include "symtab.h"

static const struct {
    const char *argument, *empty; /* that lists some of them, and when it lists none */
    const char *nothing;          /* the members of one that was never known, but for the symbol */
    const char *never;
} kinds[] = {
    [INSTRUMENT_QUOTE] = {"symbols", "symbols is empty: leave it out to get all", ",\"price\":null",
                          "there never was a price"                                                                                  },
    [INSTRUMENT_OBSERVATION] = {"names",   "names is empty: leave it out to get all",
                          ",\"kind\":\"observation\",\"value\":null",                                "there never was an observation"},
};

static void begin_json(struct exchange *x)
{
    x->response.status = 200;
    x->response.type = "application/json";
    response_header(&x->response, "Cache-Control", "no-cache");
}

/* The name of an instrument is for people; that of an observation is its symbol, as in its items,
 * and people read its title. */
static void add_instrument(struct buf *out, const struct instrument *i)
{
    bool quote = i->kind == INSTRUMENT_QUOTE;
    const struct {
        const char *name, *value;
    } texts[] = {
        {"symbol",   i->symbol                  },
        {"name",     quote ? i->name : i->symbol},
        {"title",    quote ? NULL : i->name     },
        {"category", i->category                },
        {"unit",     i->unit                    },
        {"region",   i->region                  },
        {"currency", i->currency                },
        {"exchange", i->exchange                },
    };
    buf_addc(out, '{');
    for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
        if (!texts[k].value)
            continue;
        buf_addf(out, "\"%s\":", texts[k].name);
        buf_adds_json(out, texts[k].value);
        buf_addc(out, ',');
    }
    buf_adds(out, "\"sources\":[");
    for (size_t k = 0; k < i->sources_len; k++) {
        buf_adds(out, k ? ",{\"provider\":" : "{\"provider\":");
        buf_adds_json(out, i->sources[k].provider);
        buf_adds(out, ",\"symbol\":");
        buf_adds_json(out, i->sources[k].symbol);
        buf_addc(out, '}');
    }
    buf_adds(out, "]}");
}

/* Those of [from, to) that may be seen. */
static void add_instruments(struct exchange *x, size_t from, size_t to)
{
    const struct config *c = x->server->config;
    bool first = true;
    for (size_t i = from; i < to; i++) {
        if (!grant_allows(&x->conn->grant, c->instruments[i].symbol))
            continue;
        if (!first)
            buf_addc(&x->response.body, ',');
        first = false;
        add_instrument(&x->response.body, &c->instruments[i]);
    }
}

void serve_instruments(struct exchange *x)
{
    const struct config *c = x->server->config;
    begin_json(x);
    buf_adds(&x->response.body, "{\"data\":[");
    add_instruments(x, 0, c->quotes_len);
    buf_adds(&x->response.body, "],\"observations\":[");
    add_instruments(x, c->quotes_len, c->instruments_len);
    buf_adds(&x->response.body, "]}");
    response_etag(&x->response, x->request->if_none_match);
}

/* As this caller may see it: now, or as it was. */
static struct standing standing_of(const struct exchange *x, int id, int64_t wall_ms)
{
    const struct fanout *f = tiers_of(x->server->tiers, x->conn->grant.delay_s);
    return fanout_standing(f, id, wall_ms);
}

static void add_item(struct exchange *x, int id, int64_t wall_ms)
{
    struct buf *out = &x->response.body;
    const struct instrument *in = &x->server->config->instruments[id];
    struct standing st = standing_of(x, id, wall_ms);
    if (st.item) {
        item_render(st.item, st.state, out);
        return;
    }
    buf_adds(out, "{\"symbol\":");
    buf_adds_json(out, in->symbol);
    if (in->kind == INSTRUMENT_OBSERVATION) {
        buf_adds(out, ",\"name\":");
        buf_adds_json(out, in->symbol);
    }
    buf_addf(out, "%s,\"state\":\"unavailable\"}", kinds[in->kind].nothing);
}

static int symbol_find(const struct config *c, unsigned which, const char *symbol, size_t len)
{
    int id = symtab_find(c->symbols, symbol, len);
    return id >= 0 && which & SYMBOLS_OF(c->instruments[id].kind) ? id : -1;
}

bool symbols_known(struct exchange *x, unsigned which, const char *list, bool patterns)
{
    struct buf detail = {0}, extra = {0};
    const char *item;
    size_t len;
    bool ok = true;
    buf_adds(&detail, "not configured:");
    buf_adds(&extra, ",\"symbols\":[");
    while (request_next(&list, &item, &len)) {
        if (symbol_find(x->server->config, which, item, len) >= 0 ||
            (patterns && symbol_is_pattern(item, len)))
            continue;
        buf_adds(&detail, ok ? " " : ", ");
        buf_add(&detail, item, len);
        buf_adds(&extra, ok ? "" : ",");
        buf_add_json(&extra, item, len);
        ok = false;
    }
    buf_addc(&extra, ']');
    if (!ok)
        response_problem(&x->response, 404, detail.p ? detail.p : "not configured",
                         extra.failed ? NULL : extra.p);
    buf_fini(&detail);
    buf_fini(&extra);
    return ok;
}

/* True for those that are known, too, but not this caller's to see: with a 403 naming them. */
bool symbols_forbidden(struct exchange *x, const char *list)
{
    struct buf detail = {0};
    const char *item;
    size_t len;
    bool any = false;
    buf_adds(&detail, "the token does not allow:");
    while (request_next(&list, &item, &len)) {
        int id = symbol_find(x->server->config, SYMBOLS_OF_ANY, item, len);
        if (id < 0 || grant_allows(&x->conn->grant, x->server->config->instruments[id].symbol))
            continue;
        buf_adds(&detail, any ? ", " : " ");
        buf_add(&detail, item, len);
        any = true;
    }
    if (any)
        response_problem(&x->response, 403, detail.p ? detail.p : "not allowed", NULL);
    buf_fini(&detail);
    return any;
}

/* Once each, in the order asked for. taken: one flag per instrument. */
static void add_listed(struct exchange *x, const char *list, bool *taken, int64_t wall_ms)
{
    const char *item;
    size_t len;
    bool first = true;
    while (request_next(&list, &item, &len)) {
        int id = symtab_find(x->server->config->symbols, item, len);
        if (id < 0 || taken[id])
            continue;
        taken[id] = true;
        if (!first)
            buf_addc(&x->response.body, ',');
        first = false;
        add_item(x, id, wall_ms);
    }
}

static void add_all(struct exchange *x, enum instrument_kind kind, int64_t wall_ms)
{
    const struct config *c = x->server->config;
    bool first = true;
    for (size_t i = 0; i < c->instruments_len; i++) {
        if (c->instruments[i].kind != kind ||
            !grant_allows(&x->conn->grant, c->instruments[i].symbol))
            continue;
        if (!first)
            buf_addc(&x->response.body, ',');
        first = false;
        add_item(x, (int)i, wall_ms);
    }
}

static void serve_list(struct exchange *x, enum instrument_kind kind)
{
    const char *list = request_arg(x->request, kinds[kind].argument);
    int64_t wall_ms = clock_wall_ms();
    if (list && !*list) {
        response_problem(&x->response, 400, kinds[kind].empty, NULL);
        return;
    }
    if (list && (!symbols_known(x, SYMBOLS_OF(kind), list, false) || symbols_forbidden(x, list)))
        return;
    bool *taken = calloc(x->server->config->instruments_len + 1, sizeof *taken);
    if (!taken) {
        response_problem(&x->response, 500, "out of memory", NULL);
        return;
    }
    begin_json(x);
    buf_adds(&x->response.body, "{\"data\":[");
    if (list)
        add_listed(x, list, taken, wall_ms);
    else
        add_all(x, kind, wall_ms);
    buf_adds(&x->response.body, "]}");
    free(taken);
    response_etag(&x->response, x->request->if_none_match);
}

static void serve_one(struct exchange *x, enum instrument_kind kind)
{
    const struct config *c = x->server->config;
    const char *symbol = x->request->param;
    int64_t wall_ms = clock_wall_ms();
    int id = symbol_find(c, SYMBOLS_OF(kind), symbol, strlen(symbol));
    if (id < 0) {
        /* A list of known symbols is no symbol either: the comma is not in their syntax. */
        if (symbols_known(x, SYMBOLS_OF(kind), symbol, false))
            response_problem(&x->response, 404,
                             "one at a time; a list goes to ?symbols=, ?names=", NULL);
        return;
    }
    if (symbols_forbidden(x, symbol))
        return;
    if (!standing_of(x, id, wall_ms).item) {
        response_problem(&x->response, 503, kinds[kind].never, ",\"state\":\"unavailable\"");
        response_header(&x->response, "Retry-After", "%d",
                        (int)(c->instruments[id].poll_ms / 1000 + 1));
        return;
    }
    begin_json(x);
    add_item(x, id, wall_ms);
    response_etag(&x->response, x->request->if_none_match);
}

/* Why its price comes from where it comes from: no price is in it. */
void serve_provenance(struct exchange *x)
{
    const char *symbol = x->request->param;
    int id = symbol_find(x->server->config, SYMBOLS_OF_ANY, symbol, strlen(symbol));
    if (id < 0) {
        response_problem(&x->response, 404, "not configured", NULL);
        return;
    }
    if (symbols_forbidden(x, symbol))
        return;
    json_t *said = x->server->feed->provenance(x->server->feed->ctx, id);
    jsonx_set(&said, "symbol", json_string(symbol));
    char *text = said ? json_dumps(said, JSON_COMPACT) : NULL;
    json_decref(said);
    if (!text) {
        response_problem(&x->response, 500, "out of memory", NULL);
        return;
    }
    begin_json(x);
    buf_adds(&x->response.body, text);
    free(text);
}

void serve_quotes(struct exchange *x)
{
    serve_list(x, INSTRUMENT_QUOTE);
}

void serve_quote(struct exchange *x)
{
    serve_one(x, INSTRUMENT_QUOTE);
}

void serve_observations(struct exchange *x)
{
    serve_list(x, INSTRUMENT_OBSERVATION);
}

void serve_observation(struct exchange *x)
{
    serve_one(x, INSTRUMENT_OBSERVATION);
}
