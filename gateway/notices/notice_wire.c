/* A mail must not be broken by what stands in it. The subject is either plain ASCII or made of
 * encoded words (RFC 2047); the text is quoted-printable (RFC 2045), so that no line is long, none
 * has a byte that a server might change, and what is ASCII can still be read in the raw.
 *
 * In a webhook's text &, < and > are what Slack makes commands of (<!channel>): they are written as
 * Slack's manual says, &amp; and so on. Others (Mattermost, Discord) call everybody for a word like
 * @channel: behind such an @ goes a blank without width. */
#include "notice_wire.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "utf8.h"

enum {
    LINE_MAX_QP = 75, /* and the = of a soft break */
    WORD_BYTES = 39,  /* 52 characters of base64: with "Subject: " and the rest below 76 */
};

static bool is_plain(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7E || strncmp(s, "=?", 2) == 0)
            return false;
    return true;
}

static void add_base64(struct buf *out, const unsigned char *p, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        unsigned bits = (unsigned)p[i] << 16 | (n > 1 ? (unsigned)p[i + 1] << 8 : 0) |
                        (n > 2 ? (unsigned)p[i + 2] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_add(out, k <= n ? &digits[bits >> (18 - 6 * k) & 63] : "=", 1);
    }
}

/* Characters are not torn apart: each word must make sense by itself. */
static void add_words(struct buf *out, const char *s)
{
    size_t left = strlen(s);
    for (bool first = true; left > 0; first = false) {
        size_t n = 0;
        while (n < left) {
            size_t one = utf8_len(s + n, left - n);
            one = one > 0 ? one : 1;
            if (n + one > WORD_BYTES)
                break;
            n += one;
        }
        buf_adds(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        add_base64(out, (const unsigned char *)s, n);
        buf_adds(out, "?=");
        s += n;
        left -= n;
    }
}

/* A space or tab at the end of a line would be lost on the way. */
static bool needs_quoting(const char *p)
{
    unsigned char c = (unsigned char)*p;
    if (c == ' ' || c == '\t')
        return p[1] == '\n' || p[1] == '\0';
    return c < 0x21 || c > 0x7E || c == '=';
}

static void add_quoted(struct buf *out, const char *s)
{
    int column = 0;
    for (; *s; s++) {
        if (*s == '\n') {
            buf_adds(out, "\r\n");
            column = 0;
            continue;
        }
        int width = needs_quoting(s) ? 3 : 1;
        if (column + width > LINE_MAX_QP) {
            buf_adds(out, "=\r\n");
            column = 0;
        }
        if (width == 3)
            buf_addf(out, "=%02X", (unsigned)(unsigned char)*s);
        else
            buf_addc(out, *s);
        column += width;
    }
}

/* By hand: strftime() would ask the locale. */
static void add_date(struct buf *out, int64_t wall_ms)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t s = (time_t)(wall_ms / 1000);
    struct tm t;
    if (!gmtime_r(&s, &t))
        return;
    buf_addf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[t.tm_wday], t.tm_mday,
             months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

void notice_wire_mail(const struct notice_mail *m, struct buf *out)
{
    const char *at = strrchr(m->from, '@');
    add_date(out, m->wall_ms);
    buf_addf(out, "From: pricegate <%s>\r\nTo: ", m->from);
    for (size_t i = 0; i < m->to_len; i++)
        buf_addf(out, "%s<%s>", i > 0 ? ",\r\n " : "", m->to[i]);
    buf_adds(out, "\r\nSubject: ");
    if (is_plain(m->subject))
        buf_adds(out, m->subject);
    else
        add_words(out, m->subject);
    buf_addf(out, "\r\nMessage-ID: <%" PRIx64 ".%" PRIx64 ".pricegate%s>\r\n", (uint64_t)m->series,
             m->number, at ? at : "@localhost");
    buf_adds(out, "Auto-Submitted: auto-generated\r\n" /* nobody is on holiday for us */
                  "MIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    add_quoted(out, m->text);
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void add_escaped(struct buf *out, const char *s)
{
    char before = ' ';
    for (; *s; before = *s++) {
        if (*s == '&')
            buf_adds(out, "&amp;");
        else if (*s == '<')
            buf_adds(out, "&lt;");
        else if (*s == '>')
            buf_adds(out, "&gt;");
        else if (*s == '@' && !is_word(before)) /* not that of an address */
            buf_adds(out, "@\u200B");
        else
            buf_addc(out, *s);
    }
}

/* Of a message about one matter the subject says already what the first line does. */
static const char *behind_subject(const char *subject, const char *text)
{
    size_t first = strcspn(text, "\n"), len = strlen(subject);
    bool same = first <= len && memcmp(subject + len - first, text, first) == 0;
    return same && first > 0 ? text + first : NULL;
}

void notice_wire_webhook(const char *subject, const char *text, struct buf *out)
{
    struct buf all = {0};
    const char *rest = behind_subject(subject, text);
    add_escaped(&all, subject);
    if (!rest)
        buf_adds(&all, "\n\n");
    add_escaped(&all, rest ? rest : text);
    while (all.len > 0 && all.p[all.len - 1] == '\n')
        all.p[--all.len] = '\0';
    buf_adds(out, "{\"text\":");
    if (all.p)
        buf_add_json(out, all.p, all.len);
    buf_adds(out, "}");
    out->failed |= all.failed;
    buf_fini(&all);
}
