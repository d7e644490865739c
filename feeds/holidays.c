#include "holidays.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "zone.h"

static const int DAY_S = 86400;

struct holiday {
    int date;    /* 20261225 */
    int close_s; /* 0 = closed all day */
    size_t line;
};

struct holidays {
    size_t len;
    struct holiday days[];
};

static int date_of(int year, int month, int day)
{
    return (year * 100 + month) * 100 + day;
}

static int by_date(const void *a, const void *b)
{
    const struct holiday *x = a, *y = b;
    return x->date != y->date ? (x->date > y->date) - (x->date < y->date)
                              : (x->line > y->line) - (x->line < y->line);
}

/* Does the text have the form, in which every 9 is a digit? */
static bool has_form(const char *text, size_t len, const char *form)
{
    if (len != strlen(form))
        return false;
    for (size_t i = 0; i < len; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '9' ? !digit : text[i] != form[i])
            return false;
    }
    return true;
}

static int number(const char *text, size_t len)
{
    int n = 0;
    for (size_t i = 0; i < len; i++)
        n = n * 10 + text[i] - '0';
    return n;
}

/* A date that is in the calendar: 2026-02-30 comes back as another one. */
static bool is_date(int year, int month, int day)
{
    struct zone_time t = {.year = year, .month = month, .day = day};
    struct zone_time is = zone_local(NULL, zone_moment_ms(NULL, t));
    return is.year == year && is.month == month && is.day == day;
}

static bool read_time(const char *text, size_t len, int *second)
{
    if (!has_form(text, len, "99:99"))
        return false;
    int hour = number(text, 2), minute = number(text + 3, 2);
    *second = (hour * 60 + minute) * 60;
    return hour < 24 && minute < 60 && *second > 0;
}

/* One line without its comment and the space around; false: it is no day. */
static bool read_day(const char *text, size_t len, struct holiday *out)
{
    if (len < 10 || !has_form(text, 10, "9999-99-99"))
        return false;
    int year = number(text, 4), month = number(text + 5, 2), day = number(text + 8, 2);
    out->date = date_of(year, month, day);
    out->close_s = 0;
    size_t gap = 10;
    while (gap < len && (text[gap] == ' ' || text[gap] == '\t'))
        gap++;
    return is_date(year, month, day) &&
           (len == 10 || (gap > 10 && read_time(text + gap, len - gap, &out->close_s)));
}

/* Shortens [*text, *text + len) to what is neither comment nor space. */
static size_t trim(const char **text, size_t len)
{
    const char *comment = memchr(*text, '#', len);
    if (comment)
        len = (size_t)(comment - *text);
    while (len > 0 && strchr(" \t\r", (*text)[len - 1]) && (*text)[len - 1] != '\0')
        len--;
    while (len > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        len--;
    }
    return len;
}

static int read_lines(struct holidays *h, const char *text, size_t len, struct err *err)
{
    const char *end = text + len;
    for (size_t line = 1; text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *p = text, *next = newline ? newline + 1 : end;
        size_t n = trim(&p, (size_t)((newline ? newline : end) - text));
        struct holiday day = {.line = line};
        text = next;
        if (n == 0)
            continue;
        if (!read_day(p, n, &day))
            return err_set(err,
                           "line %zu: must be a date like 2026-12-25, and behind it the time "
                           "(13:00) where the day only ends early",
                           line);
        h->days[h->len++] = day;
    }
    return 0;
}

static int check_unique(const struct holidays *h, struct err *err)
{
    for (size_t i = 1; i < h->len; i++)
        if (h->days[i].date == h->days[i - 1].date)
            return err_set(err, "line %zu: the same day as in line %zu", h->days[i].line,
                           h->days[i - 1].line);
    return 0;
}

struct holidays *holidays_parse(const char *text, size_t len, struct err *err)
{
    size_t lines = 1;
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    if (len > HOLIDAYS_BYTES_MAX) {
        err_set(err, "is larger than %zu bytes", HOLIDAYS_BYTES_MAX);
        return NULL;
    }
    struct holidays *h = calloc(1, sizeof *h + lines * sizeof h->days[0]);
    if (!h) {
        err_set(err, "out of memory");
        return NULL;
    }
    if (read_lines(h, text, len, err) == 0) {
        qsort(h->days, h->len, sizeof h->days[0], by_date);
        if (check_unique(h, err) == 0)
            return h;
    }
    holidays_free(h);
    return NULL;
}

void holidays_free(struct holidays *h)
{
    free(h);
}

int holidays_close_s(const struct holidays *h, int year, int month, int day)
{
    const struct holiday key = {.date = date_of(year, month, day)};
    size_t from = 0, to = h ? h->len : 0;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (h->days[middle].date == key.date)
            return h->days[middle].close_s;
        if (h->days[middle].date < key.date)
            from = middle + 1;
        else
            to = middle;
    }
    return DAY_S;
}

size_t holidays_len(const struct holidays *h)
{
    return h ? h->len : 0;
}

int holidays_last(const struct holidays *h)
{
    return h && h->len > 0 ? h->days[h->len - 1].date : 0;
}
