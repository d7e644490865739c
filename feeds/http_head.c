#include "http_head.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const int64_t DAY_S = 86400;

void http_head_init(struct http_head *h)
{
    *h = (struct http_head){.retry_after_s = -1, .credits_used = -1, .credits_left = -1};
}

static int64_t read_count(const char *s)
{
    char *end;
    long long n = strtoll(s, &end, 10);
    return end == s || n < 0 ? -1 : n;
}

/* A date as RFC 9110 wants it, in s since the epoch; INT64_MIN for anything else. */
static int64_t read_date(const char *s)
{
    struct tm tm = {0};
    return strptime(s, "%a, %d %b %Y %H:%M:%S GMT", &tm) ? (int64_t)timegm(&tm) : INT64_MIN;
}

/* Seconds, or a date; -1 for anything else. */
static int64_t read_retry_after(const char *s, int64_t now_s)
{
    int64_t left = read_count(s);
    if (left < 0) {
        int64_t date_s = read_date(s);
        if (date_s == INT64_MIN)
            return -1;
        left = date_s - now_s;
    }
    if (left < 0)
        return 0;
    return left < DAY_S ? left : DAY_S;
}

/* It goes out again with the next request: one with a control character in it would keep us from
 * asking, for ever. */
static void read_etag(struct http_head *h, const char *value)
{
    size_t len = strlen(value);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7F)
            return;
    if (len < sizeof h->etag)
        memcpy(h->etag, value, len + 1);
}

void http_head_line(struct http_head *h, const char *line, size_t len, int64_t now_s)
{
    char name[1024];
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        http_head_init(h);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), line);
    name[strcspn(name, "\r\n")] = '\0';
    char *value = strchr(name, ':');
    if (!value)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(name, "retry-after") == 0)
        h->retry_after_s = read_retry_after(value, now_s);
    else if (strcasecmp(name, "api-credits-used") == 0)
        h->credits_used = read_count(value);
    else if (strcasecmp(name, "api-credits-left") == 0)
        h->credits_left = read_count(value);
    else if (strcasecmp(name, "location") == 0)
        snprintf(h->location, sizeof h->location, "%s", value);
    else if (strcasecmp(name, "etag") == 0)
        read_etag(h, value);
    else if (strcasecmp(name, "date") == 0)
        h->date_ms = read_date(value) > 0 ? read_date(value) * 1000 : 0;
}

static bool has_control(const struct buf *b, bool lines)
{
    for (size_t i = 0; i < b->len; i++) {
        unsigned char c = (unsigned char)b->p[i];
        bool fine = c == '\t' || (lines && c == '\n') || (c >= 0x20 && c != 0x7F);
        if (!fine)
            return true;
    }
    return false;
}

int http_request_check(const struct http_request *rq, struct err *err)
{
    if (!rq->url.p || rq->url.failed || rq->headers.failed || rq->body.failed)
        return err_set(err, "out of memory");
    if (has_control(&rq->url, false) || has_control(&rq->headers, true))
        return err_set(err, "a control character in the request");
    return 0;
}
