/* ecb.c - the European Central Bank's reference rates: one XML file a day, no key.
 *
 *   <Cube><Cube time='2024-06-26'><Cube currency='USD' rate='1.0689'/> ...
 *
 * Units of each currency for one euro, about thirty of them, published around 16:00 in Frankfurt on
 * its banks' working days. The file of the day before is served until then, so half an hour between
 * two requests is plenty. Currencies come and go (HRK, RUB and BGN went, ISK came back): a missing
 * one is not an error of the file.
 *
 * Read by expat with namespaces. A document type or an entity is never part of it and ends the
 * reading; a web page begins with one, and is told apart that way. */
#include <expat.h>
#include <string.h>

#include "provider.h"
#include "rates.h"

static const char BASE_URL[] = "https://www.ecb.europa.eu";
static const char CUBE[] = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref|Cube";

static int ecb_request(const struct config_provider *cfg, const char *const *symbols, size_t n,
                       struct http_request *out, struct err *err)
{
    (void)symbols, (void)n; /* one table answers all */
    parse_base_url(cfg, BASE_URL, &out->url);
    buf_adds(&out->url, "/stats/eurofxref/eurofxref-daily.xml");
    buf_adds(&out->headers, "Accept: application/xml, text/xml\n");
    return out->url.failed || out->headers.failed ? err_set(err, "ecb: out of memory") : 0;
}

struct reading {
    XML_Parser parser;
    struct rates rates;
    int days;        /* how many times were seen */
    bool cubes;      /* it is the right kind of file */
    bool page;       /* it is a web page */
    const char *why; /* what is wrong; NULL = nothing */
};

static void refuse(struct reading *x, const char *why)
{
    if (!x->why)
        x->why = why;
    XML_StopParser(x->parser, XML_FALSE);
}

static void take_rate(struct reading *x, const char *currency, const char *rate)
{
    struct decimal value;
    if (!currency || !rate)
        refuse(x, "a currency without a rate");
    else if (strcmp(rate, "N/A") == 0)
        return; /* there is none today */
    else if (decimal_parse(rate, strlen(rate), &value) != 0)
        refuse(x, "a rate is not a number");
    else if (rates_add(&x->rates, currency, value) != 0)
        refuse(x, "a rate is not positive, or there twice");
}

static void on_element(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *x = ctx;
    const char *time = NULL, *currency = NULL, *rate = NULL;
    if (strcmp(name, CUBE) != 0)
        return;
    x->cubes = true;
    for (; attributes[0]; attributes += 2) {
        if (strcmp(attributes[0], "time") == 0)
            time = attributes[1];
        else if (strcmp(attributes[0], "currency") == 0)
            currency = attributes[1];
        else if (strcmp(attributes[0], "rate") == 0)
            rate = attributes[1];
    }
    if (time) {
        x->days++;
        x->rates.ts_ms = rates_fixing_ms(time);
        if (x->rates.ts_ms == 0)
            refuse(x, "the day is not a date");
    }
    if (currency || rate)
        take_rate(x, currency, rate);
}

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                       const XML_Char *public_id, int has_subset)
{
    struct reading *x = ctx;
    (void)system_id, (void)public_id, (void)has_subset;
    x->page = strcasecmp(name, "html") == 0;
    refuse(x, x->page ? "a web page came in place of rates" : "a document type is refused");
}

static void read_xml(const struct http_reply *reply, struct reading *x)
{
    XML_Parser p = XML_ParserCreateNS(NULL, '|');
    if (!p) {
        x->why = "out of memory";
        return;
    }
    x->parser = p;
    memcpy(x->rates.base, "EUR", 4);
    XML_SetUserData(p, x);
    XML_SetStartElementHandler(p, on_element);
    XML_SetStartDoctypeDeclHandler(p, on_doctype);
    if (reply->len > PARSE_BODY_MAX)
        x->why = "too long";
    else if (XML_Parse(p, reply->body, (int)reply->len, XML_TRUE) != XML_STATUS_OK && !x->why)
        x->why = XML_ErrorString(XML_GetErrorCode(p));
    XML_ParserFree(p);
}

/* The failure of the whole file, or FAIL_NONE. */
static enum failure check(const struct reading *x, int64_t now_ms, struct answer *why)
{
    if (x->page)
        parse_fail(why, FAIL_BLOCKED, "%s", x->why);
    else if (x->why)
        parse_fail(why, FAIL_BAD_SCHEMA, "the XML cannot be read: %s", x->why);
    else if (!x->cubes)
        parse_fail(why, FAIL_BAD_SCHEMA, "not a file of reference rates");
    else if (x->days > 1)
        parse_fail(why, FAIL_BAD_SCHEMA, "%d days where one is expected", x->days);
    else
        return rates_check(&x->rates, now_ms, why);
    return why->failure;
}

static void ecb_parse(const struct http_reply *reply, const char *const *symbols, size_t n,
                      int64_t now_ms, struct answer *answers, struct verdict *verdict)
{
    struct reading x = {0};
    struct answer why = {0};
    enum failure f = parse_status(reply, &why);
    if (f == FAIL_NOT_FOUND) /* the file; no symbol was in the request that could be unknown */
        parse_fail(&why, FAIL_UPSTREAM_ERROR, "HTTP %d: the file of rates is gone", reply->status);
    if (f == FAIL_NONE) {
        read_xml(reply, &x);
        check(&x, now_ms, &why);
    }
    if (why.failure == FAIL_NONE)
        rates_answer(&x.rates, symbols, n, answers);
    else
        parse_fail_all(answers, n, why.failure, why.detail);
    parse_verdict(reply, answers, n, verdict);
}

const struct provider provider_ecb = {
    .rule = {.name = "ecb",
             .enabled_by_default = true,
             .credits_per_day = 48,
             .symbol_problem = rates_symbol_problem},
    .data = DATA_END_OF_DAY,
    .auth = AUTH_NONE,
    .position = 50,
    .batch_max = PROVIDER_BATCH_MAX,
    .table = true,
    .revalidate = true,
    .request = ecb_request,
    .parse = ecb_parse,
};
