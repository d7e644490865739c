#include "reply_text.h"

#include <string.h>

static const int64_t NOW_MAX_MS = INT64_C(4102444800000); /* 2100 */
static const int64_t RETRY_MAX_S = 86400;
enum { HEAD_LINES = 3, HEAD_BYTES_MAX = 1024 };

size_t reply_text_head(const char *text, size_t len)
{
    size_t at = 0;
    for (int i = 0; i < HEAD_LINES; i++) {
        const char *nl = memchr(text + at, '\n', len - at);
        if (!nl)
            return len;
        at = (size_t)(nl - text) + 1;
    }
    return at;
}

static int64_t within(int64_t x, int64_t min, int64_t max)
{
    return x < min ? min : x > max ? max : x;
}

/* The first line. */
static bool read_numbers(char *line, struct reply_text *t)
{
    long long n[4];
    for (size_t i = 0; i < ARRAY_LEN(n); i++) {
        char *end;
        n[i] = strtoll(line, &end, 10);
        if (end == line)
            return false;
        line = end;
    }
    t->reply.status = (int)within(n[0], 100, 999);
    t->reply.retry_after_s = within(n[1], -1, RETRY_MAX_S);
    t->reply.credits_used = -1;
    t->reply.credits_left = within(n[2], -1, INT64_MAX);
    t->now_ms = within(n[3], 1, NOW_MAX_MS);
    return true;
}

static void read_symbols(char *line, struct reply_text *t)
{
    const char *separator = strchr(line, ';') ? ";" : ",";
    char *save = NULL;
    for (char *s = strtok_r(line, separator, &save); s && t->symbols_len < REPLY_TEXT_SYMBOLS_MAX;
         s = strtok_r(NULL, separator, &save))
        t->symbols[t->symbols_len++] = s;
}

bool reply_text_read(const char *text, size_t len, struct reply_text *out)
{
    size_t head = reply_text_head(text, len);
    *out = (struct reply_text){0};
    if (head > HEAD_BYTES_MAX || memchr(text, '\0', head))
        return false;
    out->head = strndup(text, head);
    out->body = malloc(len - head + 1);
    REQUIRE(out->head && out->body);
    memcpy(out->body, text + head, len - head);
    out->body[len - head] = '\0';
    out->reply.body = out->body;
    out->reply.len = len - head;
    char *symbols = strchr(out->head, '\n'), *location = symbols ? strchr(symbols + 1, '\n') : NULL;
    if (!location)
        goto no;
    *symbols++ = *location++ = '\0';
    location[strcspn(location, "\n")] = '\0';
    read_symbols(symbols, out);
    out->reply.location = location[0] ? location : NULL;
    if (out->symbols_len > 0 && read_numbers(out->head, out))
        return true;
no:
    reply_text_fini(out);
    return false;
}

void reply_text_fini(struct reply_text *t)
{
    free(t->head);
    free(t->body);
    *t = (struct reply_text){0};
}

void reply_text_write(const struct http_reply *reply, const char *symbols, int64_t now_ms,
                      struct buf *out)
{
    buf_addf(out, "%d %lld %lld %lld\n%s\n%s\n", reply->status, (long long)reply->retry_after_s,
             (long long)reply->credits_left, (long long)now_ms, symbols,
             reply->location ? reply->location : "");
    buf_add(out, reply->body, reply->len);
}
