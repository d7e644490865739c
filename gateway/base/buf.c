#include "buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "utf8.h"

enum { FORMAT_GUESS_BYTES = 32 }; /* most of what is formatted is a number */

void buf_fini(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->p)
        b->p[0] = '\0';
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n >= SIZE_MAX / 4) {
        b->failed = true;
        return NULL;
    }
    size_t need = b->len + n + 1;
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap < need)
            cap *= 2;
        char *p = realloc(b->p, cap);
        if (!p) {
            b->failed = true;
            return NULL;
        }
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->len;
}

void buf_add(struct buf *b, const void *p, size_t len)
{
    char *to = buf_reserve(b, len);
    if (!to)
        return;
    if (len > 0)
        memcpy(to, p, len);
    b->len += len;
    b->p[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    char *to = buf_reserve(b, FORMAT_GUESS_BYTES);
    if (!to)
        return;
    size_t room = b->cap - b->len;
    va_start(ap, fmt);
    int n = vsnprintf(to, room, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n >= room) { /* rare: now its length is known */
        to = buf_reserve(b, (size_t)n);
        if (!to)
            return;
        va_start(ap, fmt);
        vsnprintf(to, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    if (n < 0)
        b->failed = true;
    else
        b->len += (size_t)n;
}

/* Printable ASCII that a JSON string holds as it is. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

void buf_add_json(struct buf *b, const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    buf_addc(b, '"');
    for (size_t i = 0; i < len;) {
        size_t plain = 0;
        while (i + plain < len && is_plain(p[i + plain]))
            plain++;
        buf_add(b, p + i, plain);
        i += plain;
        if (i == len)
            break;
        size_t n = utf8_len(s + i, len - i);
        if (n == 0) {
            buf_adds(b, "\xEF\xBF\xBD");
            i++;
        } else if (n > 1) {
            buf_add(b, p + i, n);
            i += n;
        } else {
            unsigned char c = p[i++];
            if (c == '"' || c == '\\')
                buf_addf(b, "\\%c", c);
            else
                buf_addf(b, "\\u%04x", c);
        }
    }
    buf_addc(b, '"');
}

void buf_adds_json(struct buf *b, const char *s)
{
    buf_add_json(b, s, strlen(s));
}

char *buf_take(struct buf *b, size_t *len)
{
    if (b->failed || !buf_reserve(b, 0)) {
        buf_fini(b);
        return NULL;
    }
    b->p[b->len] = '\0';
    char *p = b->p;
    if (len)
        *len = b->len;
    *b = (struct buf){0};
    return p;
}
