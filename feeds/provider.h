/* provider.h - what a provider is: one row, two pure functions.
 *
 * A provider says how to ask (request) and how to read the answer (parse). Neither does I/O, reads
 * a clock or keeps state: bytes and `now` in, records or named failures out, so each is tested and
 * fuzzed without a network. Adding one = a file in providers/, a row in providers/table.c, its
 * cases in tests/. A provider without a network (sim) has `generate` in place of the two. */
#ifndef PRICEGATE_PROVIDER_H
#define PRICEGATE_PROVIDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "config.h"
#include "decimal.h"
#include "err.h"
#include "failure.h"
#include "observation.h"
#include "quote.h"

#define PROVIDER_BATCH_MAX 120

/* A price as the provider gave it: its own currency and unit, its own time. */
struct record {
    struct decimal price, bid, ask, open, high, low, prev_close, volume; /* given or not */
    char currency[8];         /* as written: "USD", "GBp", "USX"; "" = the provider did not say */
    int64_t ts_ms;            /* the market's own time of the price; always known (> 0) */
    int64_t delayed_s;        /* lateness the provider declares; 0 = none */
    enum quote_market market; /* MARKET_UNKNOWN when the provider does not say */
    bool derived;
    /* What it says when it is asked for an observation; NULL: it only knows prices. Owned by the
     * answer that holds the record. A provider of both kinds (a series may be looked at either way)
     * fills this and the price; each asker takes its own. */
    struct observation *observation;
};

/* The answer for one symbol. */
struct answer {
    enum failure failure; /* FAIL_NONE: the record is valid */
    char detail[160];     /* on failure: a sentence for people, no secrets */
    int status;           /* of HTTP; 0 = no reply came. Not the parser's to fill */
    struct record record;
};

/* Frees what answers[0..n) own and forgets it. */
void answers_fini(struct answer *answers, size_t n);
/* Gives the answer an empty observation to be filled; NULL: out of memory, and the answer says so.
 */
struct observation *answer_observe(struct answer *a);

/* What goes out. Filled by request(); the caller http_request_fini()s it. */
struct http_request {
    struct buf url;        /* complete, https:// unless base_url says http:// */
    struct buf headers;    /* "Name: value\n" lines */
    struct buf body;       /* something in it: a POST; else a GET */
    const char *unix_path; /* of the socket to ask; NULL: the URL's host. Borrowed */
};
void http_request_fini(struct http_request *r);

/* What came in. The transport was fine: connection errors never reach a parser. */
struct http_reply {
    int status;
    const char *body; /* NUL behind it */
    size_t len;
    int64_t retry_after_s;              /* Retry-After in seconds, -1 = none */
    int64_t credits_used, credits_left; /* api-credits-*, -1 = none */
    const char *location;               /* redirects are not followed; NULL = none */
    const char *etag;                   /* NULL or "" = none */
    int64_t date_ms;                    /* Date, whole seconds; 0 = none */
};

/* What the answer says of the provider as a whole, beside the answers per symbol. */
struct verdict {
    enum failure failure; /* FAIL_NONE: the provider answered as it should, whatever it said of the
                             single symbols. Else: this is what the breaker sees */
    int64_t cooldown_ms;  /* > 0: ask nothing before that much time has passed (the 429's window);
                             -1: until the day's credits come back */
    int64_t credits_left; /* of the minute window, by the provider's own counter; -1 = not said */
};

/* How new its data is: the order in which a chain should ask. */
enum provider_data {
    DATA_REAL_TIME,  /* as the market moves, or within seconds */
    DATA_DELAYED,    /* by minutes, for some markets at least */
    DATA_END_OF_DAY, /* figures of a day or longer */
    DATA_BENCHMARK,  /* a figure of ours, for when nobody answers */
};
/* Where the key goes. */
enum provider_auth { AUTH_NONE, AUTH_HEADER, AUTH_QUERY };

const char *provider_data_name(enum provider_data d); /* "real_time" ... */
const char *provider_auth_name(enum provider_auth a); /* "none" ... */

struct provider {
    struct config_provider_rule rule; /* name, key, symbol syntax, kind, default limits */
    enum provider_data data;
    enum provider_auth auth;
    int position;         /* in a chain, when nothing speaks against it: the lower asks first */
    size_t batch_max;     /* symbols in one request, 1..PROVIDER_BATCH_MAX; each costs a credit */
    bool table;           /* one reply holds all there is: a request costs one credit, and nothing
                             limits how many symbols it is for but batch_max */
    int64_t timeout_ms;   /* of a request: 1..15000, for those who are known to be slow and are not
                             asked again when it is over; 0 = FETCH_TIMEOUT_MS */
    bool revalidate;      /* asks only for what is new, where it gives entity tags (kept_reply.h) */
    const char *day_zone; /* the time zone at whose midnight the day's credits come back; NULL = UTC
                           */

    /* Writes the request for n symbols. cfg gives key and base_url. -1: cannot be asked so. */
    int (*request)(const struct config_provider *cfg, const char *const *symbols, size_t n,
                   struct http_request *out, struct err *err);
    /* Fills answers[0..n), zeroed by the caller, and *verdict. Never fails; everything odd is a
     * named failure. */
    void (*parse)(const struct http_reply *reply, const char *const *symbols, size_t n,
                  int64_t now_ms, struct answer *answers, struct verdict *verdict);

    /* For a provider without a network, NULL for all others: the answer for `symbol` at now_ms, the
     * same for the same two. *out is zeroed by the caller. A failure is that of the one source: it
     * moves no breaker. */
    void (*generate)(const char *symbol, int64_t now_ms, struct answer *out);
};

/* providers/table.c: sorted by name. A provider's index here is its number everywhere. */
extern const struct provider *const providers[];
extern const size_t providers_len;
const struct provider *provider_find(const char *name); /* NULL: no such */

/* Helpers for parsers (providers/parse.c). */
/* A number from a JSON string or number, by the digit rule. False when it is absent, null, or not a
 * finite number; *out is then not given. */
bool parse_decimal(const json_t *v, struct decimal *out);
/* Scheme, host and port: cfg->base_url if set, else `dflt`; no trailing slash. */
void parse_base_url(const struct config_provider *cfg, const char *dflt, struct buf *out);
/* Percent-encodes everything but unreserved characters. */
void parse_escape(const char *s, struct buf *out);
/* Can the key be sent in a header? A line break in it would begin a header of its own. */
bool parse_key_sendable(const char *key);
/* answers[i] = failure with the sentence, for all i. */
void parse_fail_all(struct answer *answers, size_t n, enum failure f, const char *detail);

/* Bytes of a reply that are looked at: as many as limits.upstream_bytes may allow. */
#define PARSE_BODY_MAX ((size_t)1024 * 1024)

/* One answer: failure with the sentence. Whatever the provider's words in it are, only printable
 * ASCII comes out, and links and what looks like a key are cut out of it. */
void parse_fail(struct answer *a, enum failure f, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* What the HTTP status alone says: FAIL_NONE for 2xx, else the failure with its sentence in *why
 * (redirects by where they point to). */
enum failure parse_status(const struct http_reply *reply, struct answer *why);
/* The body as JSON, whatever the status: errors come as JSON too, so the caller looks into it and
 * asks parse_status() afterwards. NULL with *why when there is no JSON to look at: a redirect, a
 * web page, an empty or broken body. The caller json_decref()s. */
json_t *parse_body(const struct http_reply *reply, struct answer *why) MUST_CHECK;
/* True when the body, leading space aside, begins as a web page does. */
bool parse_is_html(const struct http_reply *reply);
/* As parse_decimal(), but not given unless it is > 0: prices besides the price itself. */
void parse_positive(const json_t *v, struct decimal *out);
/* Seconds since the epoch (JSON number or numeric string) in ms; 0 when it is no such time. */
int64_t parse_epoch_s(const json_t *v);
/* "2026-01-31" or "2026-01-31 12:00:00", taken as UTC, in ms since the epoch; 0 = no such time. */
int64_t parse_utc_text(const char *text);
/* "2026-01-31T12:00:00.123456789Z", or with an offset like +01:00, in ms since the epoch (what is
 * finer is cut off); 0 = no such time. */
int64_t parse_rfc3339(const char *text);
/* Copies a currency code; absent and null give "". -1: not a text, or too long to be one. */
int parse_currency(const json_t *v, char out[static 8]);
/* The verdict that follows from the answers, of which there is at least one: the provider as a
 * whole has failed when all symbols carry the same failure and it is one that counts. Sets
 * credits_left from the reply, and a cool-down when the provider itself named one. */
void parse_verdict(const struct http_reply *reply, const struct answer *answers, size_t n,
                   struct verdict *verdict);

#endif
