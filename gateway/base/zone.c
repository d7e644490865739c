/* A zone is GLib's GTimeZone behind a name of our own. Civil dates are computed here, by the
 * proleptic Gregorian calendar in days since 1970-01-01; only the offset from UTC is asked of GLib
 * (0.5 us: it looks through all changes of the zone).
 *
 * GLib takes more for a name than we do: paths, offsets ("+05:00"), rules in the manner of POSIX,
 * by which every misspelt word with a digit behind it is a zone ("Utopia5"), and "right/...", whose
 * clocks count leap seconds. Only the names of the database pass: letters, a capital first, and
 * digits behind a slash ("Etc/GMT+5"). From 2038 on, where the files hold only a rule, GLib 2.74
 * has Ireland's clocks an hour wrong: its rule calls winter the special time, which GLib does not
 * expect.
 *
 * From local time to a moment: read as if it were UTC, the two offsets that may apply are the one a
 * day before and the one a day after. Where both lead to moments that show the wanted local time
 * (it comes twice) the offset from before names the first; where neither does (it is skipped) the
 * jump lies between the two readings and is looked for by halves. */
#include "zone.h"

#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct zone {
    GTimeZone *tz;
};

static const int64_t DAY_S = 86400;

static bool is_name(const char *s)
{
    const char *slash = strchr(s, '/');
    size_t word = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-");
    size_t all = word + strspn(s + word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-"
                                         "0123456789+/");
    return s[0] >= 'A' && s[0] <= 'Z' && s[all] == '\0' && (!slash || slash == s + word) &&
           (slash || all == word);
}

static GTimeZone *find(const char *name)
{
    return is_name(name) ? g_time_zone_new_identifier(name) : NULL;
}

bool zone_known(const char *name)
{
    GTimeZone *tz = find(name);
    if (tz)
        g_time_zone_unref(tz);
    return tz != NULL;
}

struct zone *zone_load(const char *name, struct err *err)
{
    GTimeZone *tz = find(name);
    if (!tz) {
        err_set(err,
                "there is no time zone \"%.40s\" on this machine (names are like America/Lima; "
                "they come with the package tzdata)",
                name);
        return NULL;
    }
    struct zone *z = calloc(1, sizeof *z);
    if (!z) {
        err_set(err, "out of memory");
        g_time_zone_unref(tz);
        return NULL;
    }
    z->tz = tz;
    return z;
}

void zone_free(struct zone *z)
{
    if (!z)
        return;
    g_time_zone_unref(z->tz);
    free(z);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t offset_s(const struct zone *z, int64_t utc_s)
{
    if (!z)
        return 0;
    return g_time_zone_get_offset(z->tz,
                                  g_time_zone_find_interval(z->tz, G_TIME_TYPE_UNIVERSAL, utc_s));
}

/* Days since 1970-01-01 of a date; month 1..12. Years are counted from March, in eras of 400. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400), of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct zone_time date_of(int64_t days)
{
    int64_t shifted = days + 719468, era = floor_div(shifted, 146097);
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int month = (int)((5 * of_year + 2) / 153);
    struct zone_time t = {
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
        .month = month < 10 ? month + 3 : month - 9,
        .weekday = (int)((days % 7 + 11) % 7), /* 1970-01-01 was a Thursday */
    };
    t.year = (int)(year + era * 400 + (t.month <= 2));
    return t;
}

struct zone_time zone_local(const struct zone *z, int64_t wall_ms)
{
    int64_t utc_s = floor_div(wall_ms, 1000), local_s = utc_s + offset_s(z, utc_s);
    int64_t days = floor_div(local_s, DAY_S);
    struct zone_time t = date_of(days);
    t.second = (int)(local_s - days * DAY_S);
    return t;
}

int64_t zone_moment_ms(const struct zone *z, struct zone_time local)
{
    int64_t months = (int64_t)local.year * 12 + local.month - 1;
    int64_t days =
        days_of(floor_div(months, 12), (int)(months - floor_div(months, 12) * 12) + 1, 1);
    int64_t read_s = (days + local.day - 1) * DAY_S + local.second;
    int64_t before_s = offset_s(z, read_s - DAY_S), after_s = offset_s(z, read_s + DAY_S);
    int64_t early = read_s - before_s, late = read_s - after_s;
    if (offset_s(z, early) == before_s)
        return early * 1000; /* the first of two, or the only one */
    if (offset_s(z, late) == after_s)
        return late * 1000;
    /* Skipped: the jump lies between the two readings, of which the one by the later offset is the
     * earlier moment. */
    int64_t low = late, high = early;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (offset_s(z, middle) == before_s)
            low = middle;
        else
            high = middle;
    }
    return high * 1000;
}
