/* reply_case.h - tests of provider parsers as tables: a reply in, one line per symbol out.
 *
 * A row says what came (status, body or file, headers), what was asked for, and what must be made
 * of it as text:
 *
 *     answers   "AAPL 229.87 USD @1732305600000 closed prev=228.52 open=..." one line per symbol:
 *               symbol, price, currency ("-" = not said), time, market, then the members given;
 *               "AAPL not_found" for a failure. Behind it what it says as an observation:
 *               "| series=RWTC period=2026-03-13 value=66.30 $/BBL"; where there is no price, only
 *               the symbol and the time stand before that
 *     verdict   "ok" or the failure's name, " cooldown=MS" and " left=N" where there are such
 *
 * Symbols asked for are separated by commas; where they hold commas, each ends in a semicolon.
 *
 * The whole record is in the text, so a member that ought to be absent is tested as well. Testing
 * another provider is another table. The reply is handed over in memory of its exact size, for the
 * address sanitizer to see every byte read too far. Each row is a seed of the parser's fuzzer as
 * well, and is read again while memory runs out. */
#ifndef PRICEGATE_REPLY_CASE_H
#define PRICEGATE_REPLY_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provider.h"
#include "reply_text.h"
#include "scarce.h"
#include "seed.h"

struct reply_case {
    const char *what;    /* for the message, and the file's name where the body is in a file */
    const char *symbols; /* asked for: "AAPL,MSFT", "1,2;3,4;" */
    int status;          /* 0 = 200 */
    const char *body;    /* NULL: in the file */
    const char *answers, *verdict;
    int64_t retry_after_s; /* 0 = no such header */
    const char *location;
    int64_t credits_left; /* header's value plus 1; 0 = no such header */
};

enum { REPLY_SYMBOLS_MAX = 8 };

static inline void reply_member(struct buf *out, const char *name, struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];
    if (!d.given)
        return;
    decimal_format(d, text);
    buf_addf(out, " %s=%s", name, text);
}

static inline void reply_text(struct buf *out, const char *name, const char *text)
{
    if (text[0])
        buf_addf(out, " %s=%s", name, text);
}

static inline void reply_describe_observation(const struct observation *o, struct buf *out)
{
    char text[DECIMAL_TEXT_MAX];
    buf_adds(out, " |");
    reply_text(out, "region", o->region);
    reply_text(out, "series", o->series);
    reply_text(out, "period", o->period);
    for (size_t i = 0; i < o->values_len; i++) {
        assert_true(o->values[i].value.given);
        decimal_format(o->values[i].value, text);
        reply_text(out, o->values[i].name, text);
        buf_addf(out, "%s%s", o->values[i].unit[0] ? " " : "", o->values[i].unit);
    }
    reply_text(out, "text", o->text);
    for (size_t i = 0; i < o->citations_len; i++)
        reply_text(out, "citation", o->citations[i]);
}

static inline void reply_describe(const char *symbol, const struct answer *a, struct buf *out)
{
    const struct record *r = &a->record;
    char price[DECIMAL_TEXT_MAX];
    if (a->failure != FAIL_NONE) {
        buf_addf(out, "%s %s\n", symbol, failure_name(a->failure));
        return;
    }
    assert_true(r->price.given || r->observation);
    buf_adds(out, symbol);
    if (r->price.given) {
        decimal_format(r->price, price);
        buf_addf(out, " %s %s", price, r->currency[0] ? r->currency : "-");
    }
    buf_addf(out, " @%lld", (long long)r->ts_ms);
    if (r->price.given)
        buf_addf(out, " %s", quote_market_name(r->market));
    reply_member(out, "prev", r->prev_close);
    reply_member(out, "open", r->open);
    reply_member(out, "high", r->high);
    reply_member(out, "low", r->low);
    reply_member(out, "bid", r->bid);
    reply_member(out, "ask", r->ask);
    reply_member(out, "volume", r->volume);
    if (r->derived)
        buf_adds(out, " derived");
    if (r->delayed_s)
        buf_addf(out, " delayed=%lld", (long long)r->delayed_s);
    if (r->observation)
        reply_describe_observation(r->observation, out);
    buf_addc(out, '\n');
}

static inline void reply_describe_verdict(const struct verdict *v, struct buf *out)
{
    buf_adds(out, v->failure == FAIL_NONE ? "ok" : failure_name(v->failure));
    if (v->cooldown_ms)
        buf_addf(out, " cooldown=%lld", (long long)v->cooldown_ms);
    if (v->credits_left >= 0)
        buf_addf(out, " left=%lld", (long long)v->credits_left);
}

/* A failure has a sentence: printable, not empty. */
static inline void reply_check_detail(const struct answer *a)
{
    if (a->failure == FAIL_NONE)
        return;
    assert_true(a->detail[0] != '\0');
    for (const char *p = a->detail; *p; p++)
        assert_true(*p >= 0x20 && *p < 0x7f);
}

static inline size_t reply_split(const char *list, char *copy, size_t size, const char **symbols)
{
    size_t n = 0;
    char *save = NULL;
    const char *separator = strchr(list, ';') ? ";" : ",";
    assert_true(strlen(list) < size);
    strcpy(copy, list);
    for (char *s = strtok_r(copy, separator, &save); s; s = strtok_r(NULL, separator, &save)) {
        assert_true(n < REPLY_SYMBOLS_MAX);
        symbols[n++] = s;
    }
    return n;
}

static inline void reply_keep_seed(const struct provider *p, const struct reply_case *c,
                                   const struct http_reply *reply, int64_t now_ms)
{
    struct buf text = {0};
    reply_text_write(reply, c->symbols, now_ms, &text);
    seed_keep(p->rule.name, text.p, text.len);
    buf_fini(&text);
}

/* Runs the parser; what it does not write is garbage. */
static inline void reply_call(const struct provider *p, const struct http_reply *reply,
                              const char *const *symbols, size_t n, int64_t now_ms,
                              struct answer *got, struct verdict *v)
{
    memset(got, 0xa5, n * sizeof *got);
    for (size_t i = 0; i < n; i++)
        got[i].record.observation = NULL;
    memset(v, 0xa5, sizeof *v);
    p->parse(reply, symbols, n, now_ms, got, v);
}

/* Each line is the one that plenty of memory gives, or says that the symbol failed. */
static inline void reply_check_scarce(const char *plain, const char *const *symbols,
                                      const struct answer *got, size_t n, int granted)
{
    const char *line = plain;
    for (size_t i = 0; i < n; i++) {
        struct buf text = {0};
        reply_check_detail(&got[i]);
        reply_describe(symbols[i], &got[i], &text);
        size_t len = strcspn(line, "\n") + 1;
        if (got[i].failure == FAIL_NONE && (text.len != len || memcmp(text.p, line, len) != 0))
            fail_msg("with allocation %d failing: got %s, want %.*s", granted + 1, text.p, (int)len,
                     line);
        line += len;
        buf_fini(&text);
    }
}

/* Each fails once; for good each of the first ones, then every seventh (LONG=1: each). */
static inline int reply_stride(int granted, enum scarcity scarcity)
{
    return scarcity == SCARCE_ONCE || granted < 20 || getenv("LONG") ? 1 : 7;
}

/* Whichever allocation fails, ours or jansson's, what comes out is the record or a failure, and
 * nothing is left over. */
static inline void reply_call_scarce(const struct provider *p, const struct http_reply *reply,
                                     const char *const *symbols, size_t n, int64_t now_ms,
                                     enum scarcity scarcity)
{
    struct buf plain = {0};
    bool failed = true;
    struct answer got[REPLY_SYMBOLS_MAX];
    struct verdict v;
    reply_call(p, reply, symbols, n, now_ms, got, &v);
    for (size_t i = 0; i < n; i++)
        reply_describe(symbols[i], &got[i], &plain);
    answers_fini(got, n);
    long before = scarce_live();
    for (int granted = 0; failed; granted += reply_stride(granted, scarcity)) {
        scarce_begin(granted, scarcity);
        reply_call(p, reply, symbols, n, now_ms, got, &v);
        failed = scarce_end();
        reply_check_scarce(plain.p, symbols, got, n, granted);
        answers_fini(got, n);
        assert_int_equal(scarce_live(), before);
    }
    buf_fini(&plain);
}

/* Runs the parser over body[0..len) and describes what it made of it. */
static inline void reply_parse(const struct provider *p, const struct reply_case *c,
                               const char *body, size_t len, int64_t now_ms, struct buf *answers,
                               struct buf *verdict)
{
    char copy[256];
    const char *symbols[REPLY_SYMBOLS_MAX];
    size_t n = reply_split(c->symbols, copy, sizeof copy, symbols);
    struct answer got[REPLY_SYMBOLS_MAX];
    struct verdict v;
    char *exact = malloc(len + 1);

    assert_non_null(exact);
    if (len > 0)
        memcpy(exact, body, len);
    exact[len] = '\0';
    struct http_reply reply = {.status = c->status ? c->status : 200,
                               .body = exact,
                               .len = len,
                               .retry_after_s = c->retry_after_s ? c->retry_after_s : -1,
                               .credits_used = -1,
                               .credits_left = c->credits_left - 1,
                               .location = c->location};
    reply_keep_seed(p, c, &reply, now_ms);
    reply_call_scarce(p, &reply, symbols, n, now_ms, SCARCE_ONCE);
    reply_call_scarce(p, &reply, symbols, n, now_ms, SCARCE_FOR_GOOD);
    reply_call(p, &reply, symbols, n, now_ms, got, &v);
    for (size_t i = 0; i < n; i++) {
        reply_check_detail(&got[i]);
        reply_describe(symbols[i], &got[i], answers);
    }
    reply_describe_verdict(&v, verdict);
    answers_fini(got, n);
    free(exact);
}

/* Runs one row; false, after saying what differs, when it is not as the row says. */
static inline bool reply_case_holds(const struct provider *p, const struct reply_case *c,
                                    const char *body, size_t len, int64_t now_ms)
{
    struct buf answers = {0}, verdict = {0};
    reply_parse(p, c, body, len, now_ms, &answers, &verdict);
    while (answers.len > 0 && answers.p[answers.len - 1] == '\n')
        answers.p[--answers.len] = '\0';
    bool same = strcmp(answers.p, c->answers) == 0 && strcmp(verdict.p, c->verdict) == 0;
    if (!same)
        print_error("%s: %s\n  got  %s\n  and  %s\n  want %s\n  and  %s\n", p->rule.name, c->what,
                    answers.p, verdict.p, c->answers, c->verdict);
    buf_fini(&answers);
    buf_fini(&verdict);
    return same;
}

/* What the provider of this name would ask; -1 where it refuses. To be freed either way. */
static inline int request_of(const char *provider, const struct config_provider *cfg,
                             const char *const *symbols, size_t n, struct http_request *out,
                             struct err *err)
{
    *out = (struct http_request){0};
    return provider_find(provider)->request(cfg, symbols, n, out, err);
}

static inline void request_free(struct http_request *r)
{
    http_request_fini(r);
}

static inline char *reply_read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    if (!f)
        return NULL;
    text = malloc(PARSE_BODY_MAX + 2);
    assert_non_null(text);
    *len = fread(text, 1, PARSE_BODY_MAX + 1, f);
    text[*len] = '\0';
    fclose(f);
    return text;
}

/* Runs all rows; those without a body read theirs from SOURCE_DIR/tests/unit/feeds/replies. */
static inline void reply_cases_run(const struct provider *p, const struct reply_case *cases,
                                   size_t n, int64_t now_ms)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        char path[512];
        char *text = NULL;
        size_t len = cases[i].body ? strlen(cases[i].body) : 0;
        if (!cases[i].body) {
            snprintf(path, sizeof path, "%s/tests/unit/feeds/replies/%s", SOURCE_DIR,
                     cases[i].what);
            text = reply_read_file(path, &len);
            if (!text)
                fail_msg("no file %s", path);
        }
        bad += !reply_case_holds(p, &cases[i], text ? text : cases[i].body, len, now_ms);
        free(text);
    }
    if (bad)
        fail_msg("%zu of %zu replies were not read as the table says", bad, n);
}

#endif
