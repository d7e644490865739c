/* parse.c - what every parser of provider replies has to do, in the order that experience taught.
 *
 * HTTP 200 is not success and HTTP 429 is not always JSON, so nothing is believed by its status or
 * its content type alone. A reply is looked at in this order:
 *
 *   redirect?      never followed; to a consent page it means that we are blocked
 *   first byte     { or [ is JSON, < is a web page in place of data, anything else is text
 *   JSON           parsed strictly (size, depth, duplicate names), then the provider's own error
 *                  object is looked for by the provider's parser, because it knows better than the
 *                  status what went wrong
 *   status         decides when the body says nothing
 *   members        numbers by the digit rule, times in seconds or as UTC text
 *
 * Details of failures end up in logs and on status pages. They may quote a provider, and providers
 * have been seen to echo the request with its key; so every sentence goes through one cleaner that
 * cuts links, everything that looks like a key, and the word behind every "key" and "token". */
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "json_guard.h"
#include "jsonx.h"
#include "provider.h"

static const int KEY_RUN_MIN = 20;                         /* letters and digits in a row */
static const double EPOCH_S_MAX = 99999999999.0;           /* larger is not in seconds */
static const int64_t COOLDOWN_NAMED_MAX_MS = 3600 * 1000L; /* of a Retry-After beside a failure */

static bool alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Does the word speak of a key? Then it, or the one behind it, may be one. */
static bool word_names_secret(const char *word, size_t len)
{
    static const char *const names[] = {"key", "token", "secret"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (size_t k = 0; k + strlen(names[i]) <= len; k++)
            if (strncasecmp(word + k, names[i], strlen(names[i])) == 0)
                return true;
    return false;
}

/* Does this word look like a link, a parameter with its value, or a key? */
static bool word_is_secret(const char *word, size_t len)
{
    int run = 0;
    for (size_t i = 0; i < len; i++) {
        run = alnum(word[i]) ? run + 1 : 0;
        if (run >= KEY_RUN_MIN)
            return true;
    }
    return memmem(word, len, "://", 3) ||
           (word_names_secret(word, len) && (memchr(word, '=', len) || memchr(word, ':', len)));
}

/* Copies text to out: printable ASCII, secrets cut, at most size - 1 bytes. */
static void clean(const char *text, char *out, size_t size)
{
    size_t len = 0;
    bool cut = false; /* this word, whatever it is */
    while (*text && len + 1 < size) {
        size_t word = strcspn(text, " \t\r\n");
        bool secret = word > 0 && (cut || word_is_secret(text, word));
        const char *from = secret ? "[cut]" : text;
        size_t n = secret ? 5 : word;
        for (size_t i = 0; i < n && len + 1 < size; i++)
            out[len++] = (char)(from[i] >= 0x20 && from[i] < 0x7f ? from[i] : '?');
        if (word > 0)
            cut = word_names_secret(text, word);
        text += word;
        if (*text) {
            text++;
            if (len + 1 < size)
                out[len++] = ' ';
        }
    }
    out[len] = '\0';
}

void parse_fail(struct answer *a, enum failure f, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    *a = (struct answer){.failure = f};
    clean(text, a->detail, sizeof a->detail);
}

void parse_fail_all(struct answer *answers, size_t n, enum failure f, const char *detail)
{
    for (size_t i = 0; i < n; i++)
        parse_fail(&answers[i], f, "%s", detail);
}

/* Rows are looked through from the top. */
static const struct {
    int from, to;
    enum failure failure;
    const char *sentence;
} statuses[] = {
    {200, 299, FAIL_NONE,           ""                                },
    {401, 401, FAIL_AUTH,           "refused: we are not let in"      },
    {403, 403, FAIL_AUTH,           "refused: not allowed"            },
    {404, 404, FAIL_NOT_FOUND,      "not found"                       },
    {410, 410, FAIL_NOT_FOUND,      "gone"                            },
    {414, 414, FAIL_BAD_SCHEMA,     "the request was too long"        },
    {429, 429, FAIL_RATE_LIMITED,   "too many requests"               },
    {400, 499, FAIL_BAD_SCHEMA,     "the request was not understood"  },
    {500, 599, FAIL_UPSTREAM_ERROR, "the provider has an error"       },
    {999, 999, FAIL_BLOCKED,        "the provider takes us for robots"},
};

/* The host of a Location; "" when it is relative. */
static void location_host(const char *location, char *out, size_t size)
{
    const char *p = strstr(location, "://");
    p = p ? p + 3 : strncmp(location, "//", 2) == 0 ? location + 2 : "";
    size_t n = strcspn(p, "/?#:");
    snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), p);
}

static enum failure redirect_failure(const struct http_reply *reply, struct answer *why)
{
    char host[64];
    location_host(reply->location ? reply->location : "", host, sizeof host);
    if (strncmp(host, "guce.", 5) == 0 || strncmp(host, "consent.", 8) == 0) {
        parse_fail(why, FAIL_BLOCKED, "HTTP %d: sent to the consent page %s", reply->status, host);
        return FAIL_BLOCKED;
    }
    parse_fail(why, FAIL_UPSTREAM_ERROR, "HTTP %d: sent on to %s; redirects are not followed",
               reply->status, host[0] ? host : "another path");
    return FAIL_UPSTREAM_ERROR;
}

enum failure parse_status(const struct http_reply *reply, struct answer *why)
{
    if (reply->status >= 300 && reply->status <= 399)
        return redirect_failure(reply, why);
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (reply->status < statuses[i].from || reply->status > statuses[i].to)
            continue;
        if (statuses[i].failure != FAIL_NONE)
            parse_fail(why, statuses[i].failure, "HTTP %d: %s", reply->status,
                       statuses[i].sentence);
        return statuses[i].failure;
    }
    parse_fail(why, FAIL_UPSTREAM_ERROR, "HTTP %d means nothing to us", reply->status);
    return FAIL_UPSTREAM_ERROR;
}

/* Where the content begins: behind a byte order mark and white space. */
static size_t content_start(const struct http_reply *reply)
{
    size_t i = 0;
    if (reply->len >= 3 && memcmp(reply->body, "\xef\xbb\xbf", 3) == 0)
        i = 3;
    while (i < reply->len && strchr(" \t\r\n", reply->body[i]) && reply->body[i])
        i++;
    return i;
}

bool parse_is_html(const struct http_reply *reply)
{
    size_t i = content_start(reply);
    return i < reply->len && reply->body[i] == '<';
}

/* There is no JSON: a web page, nothing, or text. The status is asked first where it says something
 * more precise than that. A page behind 401..404 is a wall, not a word on key or symbol. */
static void not_json(const struct http_reply *reply, const char *broken, struct answer *why)
{
    size_t i = content_start(reply);
    enum failure f = parse_status(reply, why);
    bool page = parse_is_html(reply);
    if (page && (f == FAIL_NONE || f == FAIL_AUTH || f == FAIL_NOT_FOUND || f == FAIL_BAD_SCHEMA))
        parse_fail(why, FAIL_BLOCKED, "HTTP %d: a web page came in place of data", reply->status);
    else if (f != FAIL_NONE)
        return;
    else if (i == reply->len)
        parse_fail(why, FAIL_BAD_SCHEMA, "empty reply");
    else
        parse_fail(why, FAIL_BAD_SCHEMA, "%s", broken);
}

json_t *parse_body(const struct http_reply *reply, struct answer *why)
{
    struct err err = {"the reply is not JSON"};
    if (reply->status >= 300 && reply->status <= 399) {
        redirect_failure(reply, why);
        return NULL;
    }
    size_t i = content_start(reply);
    if (i < reply->len && (reply->body[i] == '{' || reply->body[i] == '[')) {
        json_t *root = jsonx_parse(reply->body + i, reply->len - i, PARSE_BODY_MAX, &err);
        if (root)
            return root;
        if (strcmp(err.text, JSON_NO_MEMORY) == 0) {
            parse_fail(why, FAIL_UPSTREAM_ERROR, "%s", err.text);
            return NULL;
        }
        /* It quotes what it stumbled over, and there are replies that repeat our key. */
        jsonx_drop_quotation(&err);
    }
    not_json(reply, err.text, why);
    return NULL;
}

bool parse_decimal(const json_t *v, struct decimal *out)
{
    *out = (struct decimal){0};
    if (json_is_string(v))
        return decimal_parse(json_string_value(v), json_string_length(v), out) == 0;
    if (json_is_integer(v)) {
        *out = decimal_from_int(json_integer_value(v));
        return true;
    }
    return json_is_real(v) && decimal_from_double(json_real_value(v), out) == 0;
}

void parse_positive(const json_t *v, struct decimal *out)
{
    if (!parse_decimal(v, out) || !decimal_positive(*out))
        *out = (struct decimal){0};
}

/* Not by the digit rule: a time that happens to be a float32 is still exact. */
int64_t parse_epoch_s(const json_t *v)
{
    struct decimal d;
    double s = json_number_value(v); /* 0 when it is a text */
    if (json_is_string(v) && parse_decimal(v, &d))
        s = decimal_to_double(d);
    return s > 0 && s <= EPOCH_S_MAX ? llround(s * 1000) : 0;
}

/* Exactly n digits at *p; moves *p behind them. -1: something else. */
static int digits(const char **p, int n)
{
    int value = 0;
    for (; n > 0; n--, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        value = value * 10 + (**p - '0');
    }
    return value;
}

/* Skips the character c at *p. */
static bool skip(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

/* Days from 1970-01-01 to the date of the Gregorian calendar. */
static int64_t days_from_date(int64_t y, int m, int d)
{
    y -= m <= 2; /* the year begins in March: the leap day is its last */
    int64_t era = y / 400, year = y % 400;
    int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + year * 365 + year / 4 - year / 100 + day_of_year - 719468;
}

static int days_in_month(int y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return days[m - 1] + (m == 2 && leap);
}

/* "2026-01-31" at *p as days since the epoch; -1: no such date. */
static int64_t read_date(const char **p)
{
    int y = digits(p, 4);
    if (y < 1970 || !skip(p, '-'))
        return -1;
    int m = digits(p, 2);
    if (m < 1 || m > 12 || !skip(p, '-'))
        return -1;
    int d = digits(p, 2);
    return d < 1 || d > days_in_month(y, m) ? -1 : days_from_date(y, m, d);
}

/* "12:00:00" at *p in seconds; -1: no such time of day. */
static int64_t read_clock(const char **p)
{
    int h = digits(p, 2);
    if (h < 0 || h > 23 || !skip(p, ':'))
        return -1;
    int m = digits(p, 2);
    if (m < 0 || m > 59 || !skip(p, ':'))
        return -1;
    int s = digits(p, 2);
    return s < 0 || s > 60 ? -1 : (h * 60 + m) * 60 + s;
}

int64_t parse_utc_text(const char *text)
{
    const char *p = text;
    int64_t days = p ? read_date(&p) : -1, s = 0;
    if (days >= 0 && *p && (!skip(&p, ' ') || (s = read_clock(&p)) < 0))
        return 0;
    return days < 0 || *p ? 0 : (days * 86400 + s) * 1000;
}

/* What stands behind the seconds: ".", then digits, of which thousandths are kept. -1: no digit. */
static int read_fraction(const char **p)
{
    int ms = 0, n = 0;
    if (!skip(p, '.'))
        return 0;
    for (; **p >= '0' && **p <= '9'; (*p)++, n++)
        if (n < 3)
            ms = ms * 10 + (**p - '0');
    for (int i = n; i < 3; i++)
        ms *= 10;
    return n ? ms : -1;
}

/* "Z" or "+01:00" at *p in minutes. False: neither. */
static bool read_zone(const char **p, int *minutes)
{
    char sign = **p;
    *minutes = 0;
    if (skip(p, 'Z') || skip(p, 'z'))
        return true;
    if (!skip(p, '+') && !skip(p, '-'))
        return false;
    int h = digits(p, 2);
    if (h < 0 || h > 23 || !skip(p, ':'))
        return false;
    int m = digits(p, 2);
    *minutes = (h * 60 + m) * (sign == '-' ? -1 : 1);
    return m >= 0 && m <= 59;
}

int64_t parse_rfc3339(const char *text)
{
    const char *p = text;
    int64_t days = p ? read_date(&p) : -1;
    int minutes, ms;
    if (days < 0 || (!skip(&p, 'T') && !skip(&p, 't')))
        return 0;
    int64_t s = read_clock(&p);
    if (s < 0 || (ms = read_fraction(&p)) < 0 || !read_zone(&p, &minutes) || *p)
        return 0;
    int64_t at_ms = (days * 86400 + s - (int64_t)minutes * 60) * 1000 + ms;
    return at_ms > 0 ? at_ms : 0;
}

int parse_currency(const json_t *v, char out[static 8])
{
    out[0] = '\0';
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_string(v) || json_string_length(v) > 7)
        return -1;
    snprintf(out, 8, "%s", json_string_value(v));
    return 0;
}

void parse_verdict(const struct http_reply *reply, const struct answer *answers, size_t n,
                   struct verdict *verdict)
{
    *verdict = (struct verdict){.failure = answers[0].failure, .credits_left = reply->credits_left};
    for (size_t i = 1; i < n; i++)
        if (answers[i].failure != verdict->failure)
            verdict->failure = FAIL_NONE;
    if (!failure_counts(verdict->failure))
        verdict->failure = FAIL_NONE;
    if (verdict->failure != FAIL_NONE && reply->retry_after_s > 0) {
        verdict->cooldown_ms = COOLDOWN_NAMED_MAX_MS;
        if (reply->retry_after_s < COOLDOWN_NAMED_MAX_MS / 1000)
            verdict->cooldown_ms = reply->retry_after_s * 1000;
    }
}

void parse_base_url(const struct config_provider *cfg, const char *dflt, struct buf *out)
{
    const char *url = cfg->base_url && cfg->base_url[0] ? cfg->base_url : dflt;
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    buf_add(out, url, len);
}

void parse_escape(const char *s, struct buf *out)
{
    for (; *s; s++) {
        if (alnum(*s) || strchr("-._~", *s))
            buf_addc(out, *s);
        else
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)*s);
    }
}

bool parse_key_sendable(const char *key)
{
    const char *p = key;
    while (*p > 0x20 && *p < 0x7f)
        p++;
    return p > key && *p == '\0';
}
