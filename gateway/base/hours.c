#include "hours.h"

#include <stddef.h>
#include <string.h>

static const int DAY_S = 86400;

/* Skips the name of a day; NULL when there is none. */
static const char *read_day(const char *p, int *day)
{
    static const char names[] = "SunMonTueWedThuFriSat";
    for (*day = 0; *day < 7; ++*day)
        if (strncmp(p, names + (ptrdiff_t)*day * 3, 3) == 0)
            return p + 3;
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Skips "09:30"; NULL when there is none up to 24:00. */
static const char *read_time(const char *p, int *second)
{
    if (!is_digit(p[0]) || !is_digit(p[1]) || p[2] != ':' || !is_digit(p[3]) || !is_digit(p[4]))
        return NULL;
    int hour = (p[0] - '0') * 10 + p[1] - '0', minute = (p[3] - '0') * 10 + p[4] - '0';
    *second = (hour * 60 + minute) * 60;
    return minute < 60 && *second <= DAY_S ? p + 5 : NULL;
}

/* Skips the character; NULL when another is there. */
static const char *skip(const char *p, char c)
{
    return p && *p == c ? p + 1 : NULL;
}

const char *hours_parse(const char *text, struct hours *out)
{
    static const char must[] = "must be days and times like \"Mon-Fri 09:30-16:00\" or \"Sat "
                               "00:00-24:00\" (an end not behind the start is on the next day)";
    int first, last, from_s, to_s;
    const char *p = read_day(text, &first);
    last = first;
    if (p && *p == '-')
        p = read_day(p + 1, &last);
    p = skip(p, ' ');
    p = p ? read_time(p, &from_s) : NULL;
    p = skip(p, '-');
    p = p ? read_time(p, &to_s) : NULL;
    if (!p || *p != '\0' || from_s == DAY_S)
        return must;
    *out = (struct hours){.from_s = from_s, .to_s = to_s > from_s ? to_s : to_s + DAY_S};
    for (int day = first;; day = (day + 1) % 7) {
        out->days |= (unsigned char)(1U << day);
        if (day == last)
            return NULL;
    }
}
