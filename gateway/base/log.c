/* The level, the format, the count of lost lines and how the last one ended are, with the clock's
 * offset and what json_guard.c keeps during a parse, the only mutable file-scope variables of the
 * program: a log that had to be passed to every pure function would be worse. */
#include "log.h"

#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"

static const char *const level_names[] = {[LOG_AUDIT] = "info",
                                          [LOG_ERROR] = "error",
                                          [LOG_WARN] = "warn",
                                          [LOG_INFO] = "info",
                                          [LOG_DEBUG] = "debug"};
static const size_t TEXT_MAX = 256;

static enum log_level level_least = LOG_INFO;
static bool format_json = true;
static uint64_t lost;
static bool cut; /* the disk took half of the last line: the next one begins a new line */

void log_setup(enum log_level least, bool json)
{
    level_least = least;
    format_json = json;
}

int log_level_parse(const char *name, enum log_level *out)
{
    for (size_t i = LOG_ERROR; i < ARRAY_LEN(level_names); i++)
        if (strcmp(name, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    return -1;
}

bool log_enabled(enum log_level level)
{
    return level <= level_least;
}

uint64_t log_lines_lost(void)
{
    return lost;
}

static void add_name(struct buf *b, const char *name, size_t len)
{
    if (format_json) {
        buf_addc(b, ',');
        buf_add_json(b, name, len);
        buf_addc(b, ':');
    } else {
        buf_addc(b, ' ');
        buf_add(b, name, len);
        buf_addc(b, '=');
    }
}

static void add_string(struct buf *b, const char *s)
{
    if (!s) {
        buf_adds(b, format_json ? "null" : "");
        return;
    }
    size_t len = strnlen(s, TEXT_MAX);
    bool plain = !format_json && len > 0;
    for (size_t i = 0; plain && i < len; i++)
        plain = s[i] > 0x20 && s[i] < 0x7F && s[i] != '"' && s[i] != '=';
    if (plain)
        buf_add(b, s, len);
    else
        buf_add_json(b, s, len);
}

/* Adds the value for the conversion at fmt (just behind the '%') and returns what follows it.
 * ap is passed by pointer because it moves. */
static const char *add_value(struct buf *b, const char *fmt, va_list *ap)
{
    char spec[16] = "%";
    size_t n = 1;
    while (*fmt && !strchr("sduf", *fmt) && n < sizeof spec - 2)
        spec[n++] = *fmt++;
    char conv = 's';
    if (*fmt)
        conv = *fmt++;
    bool wide = strstr(spec, "ll") || strchr(spec, 'l') || strchr(spec, 'z');
    if (conv == 's') {
        add_string(b, va_arg(*ap, const char *));
    } else if (conv == 'f') {
        const char *point = strchr(spec, '.');
        double x = va_arg(*ap, double);
        if (isfinite(x))
            buf_addf(b, "%.*f", point ? point[1] - '0' : 6, x);
        else
            add_string(b, NULL); /* JSON has no word for it */
    } else if (conv == 'u') {
        buf_addf(b, "%llu",
                 wide ? (unsigned long long)va_arg(*ap, unsigned long) : va_arg(*ap, unsigned));
    } else {
        buf_addf(b, "%lld", wide ? (long long)va_arg(*ap, long) : va_arg(*ap, int));
    }
    return fmt;
}

static void add_fields(struct buf *b, const char *fmt, va_list *ap)
{
    while (*fmt) {
        const char *eq = strstr(fmt, "=%");
        if (!eq)
            break;
        bool yes_or_no = eq > fmt && eq[-1] == '?';
        add_name(b, fmt, (size_t)(eq - fmt) - yes_or_no);
        if (yes_or_no) {
            buf_adds(b, va_arg(*ap, int) ? "true" : "false");
            fmt = eq + strlen("=%d");
        } else {
            fmt = add_value(b, eq + 2, ap);
        }
        while (*fmt == ' ')
            fmt++;
    }
}

/* A pipe whose reader sleeps would block us for as long: ask first. A pipe that can be written
 * takes PIPE_BUF bytes without blocking, which is longer than nearly all lines are. */
static bool write_line(const char *text, size_t len)
{
    struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLOUT))
        return false;
    ssize_t n = write(STDERR_FILENO, text, len);
    if (n > 0)
        cut = n < (ssize_t)len;
    return n == (ssize_t)len;
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    struct buf b = {0};
    char ts[CLOCK_RFC3339_MAX];
    if (cut)
        buf_addc(&b, '\n');
    clock_rfc3339(clock_wall_ms(), ts);
    if (format_json)
        buf_addf(&b, "{\"ts\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", ts, level_names[level],
                 event);
    else
        buf_addf(&b, "ts=%s level=%s event=%s", ts, level_names[level], event);
    va_list ap;
    va_start(ap, fmt);
    add_fields(&b, fmt, &ap);
    va_end(ap);
    buf_adds(&b, format_json ? "}\n" : "\n");
    if (b.failed || !write_line(b.p, b.len))
        lost++;
    buf_fini(&b);
}

bool log_limit_pass(struct log_limit *l, int64_t mono_ms, int64_t interval_ms, unsigned *suppressed)
{
    if (mono_ms < l->next_ms) {
        l->suppressed++;
        return false;
    }
    *suppressed = l->suppressed;
    l->suppressed = 0;
    l->next_ms = mono_ms + interval_ms;
    return true;
}
