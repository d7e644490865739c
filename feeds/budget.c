/* Windows.
 *
 * The minute is rolling, in slots of one second: a credit taken in second s counts until second
 * s + 61, so at least 60 s, never less, whatever part of a second the two moments lie in. Where a
 * provider counts clock minutes we are only ever more careful than it is.
 *
 * The provider's counter ("3 left") is believed for the window's length, counted down by what we
 * take meanwhile, and only where it is lower than our own sum: another program may use the same
 * key, but a higher number may simply not know yet of what is under way.
 *
 * Two processes, or one before and after its restart, meet in the document. Both sides keep the
 * larger number per second and per day; the same credits are therefore never counted twice, and
 * after a restart nothing is spent again. Two that poll at the same time would be counted as one;
 * only one of a cluster polls, so that does not happen for long. */
#include "budget.h"

static const int64_t DAY_S = 86400;
static const int64_t WINDOW_MS = 60000;

static int64_t day_number(const struct budget *b, int64_t wall_ms)
{
    return (wall_ms / 1000 - b->day_reset_s) / DAY_S;
}

static void roll_day(struct budget *b, int64_t wall_ms)
{
    int64_t day = day_number(b, wall_ms);
    if (day == b->day)
        return;
    b->day = day;
    b->spent = 0;
}

void budget_init(struct budget *b, int64_t per_minute, int64_t per_day, int day_reset_s)
{
    *b = (struct budget){
        .per_minute = per_minute,
        .per_day = per_day,
        .day_reset_s = day_reset_s,
        .said_left = -1,
    };
}

/* A slot from the future (the clock was set back) would count for as long as the clock was ahead:
 * beyond one window it can only be an error. */
static bool in_window(int64_t second, int64_t now_s)
{
    return second > now_s - BUDGET_SLOTS && second < now_s + BUDGET_SLOTS;
}

static int64_t window_sum(const struct budget *b, int64_t now_s)
{
    int64_t sum = 0;
    for (int i = 0; i < BUDGET_SLOTS; i++)
        if (in_window(b->window[i].second, now_s))
            sum += b->window[i].n;
    return sum;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t not_negative(int64_t n)
{
    return n > 0 ? n : 0;
}

static bool said_holds(const struct budget *b, int64_t wall_ms)
{
    return b->said_left >= 0 && wall_ms >= b->said_ms && wall_ms < b->said_ms + WINDOW_MS;
}

static int64_t minute_left(const struct budget *b, int64_t wall_ms)
{
    int64_t left = BUDGET_UNLIMITED;
    if (b->per_minute > 0)
        left = not_negative(b->per_minute - window_sum(b, wall_ms / 1000));
    if (said_holds(b, wall_ms))
        left = least(left, b->said_left);
    return left;
}

/* A tenth, rounded up: a plan of five credits keeps one as well. */
static int64_t day_reserve(const struct budget *b)
{
    return (b->per_day + 9) / 10;
}

int64_t budget_day_left(struct budget *b, int64_t wall_ms)
{
    if (b->per_day == 0)
        return BUDGET_UNLIMITED;
    roll_day(b, wall_ms);
    return not_negative(b->per_day - day_reserve(b) - b->spent);
}

int64_t budget_available(struct budget *b, bool reserve, int64_t wall_ms)
{
    int64_t day = budget_day_left(b, wall_ms);
    if (reserve && b->per_day > 0)
        day = not_negative(b->per_day - b->spent);
    return least(day, minute_left(b, wall_ms));
}

int64_t budget_take(struct budget *b, int64_t n, bool reserve, int64_t wall_ms)
{
    int64_t got = least(n, budget_available(b, reserve, wall_ms));
    if (got <= 0)
        return 0;
    int64_t second = wall_ms / 1000, i = second % BUDGET_SLOTS;
    if (b->window[i].second != second) {
        b->window[i].second = second;
        b->window[i].n = 0;
    }
    b->window[i].n += got;
    roll_day(b, wall_ms);
    b->spent += got;
    if (said_holds(b, wall_ms))
        b->said_left -= got;
    return got;
}

void budget_said(struct budget *b, int64_t left, int64_t wall_ms)
{
    b->said_left = not_negative(left);
    b->said_ms = wall_ms;
}

int64_t budget_left(struct budget *b, int64_t wall_ms)
{
    int64_t left = budget_available(b, true, wall_ms);
    return left == BUDGET_UNLIMITED ? -1 : left;
}

int64_t budget_day_reset_ms(const struct budget *b, int64_t wall_ms)
{
    return ((day_number(b, wall_ms) + 1) * DAY_S + b->day_reset_s) * 1000;
}

json_t *budget_save(struct budget *b, int64_t wall_ms)
{
    int64_t now_s = wall_ms / 1000;
    roll_day(b, wall_ms);
    json_t *minute = json_array();
    for (int i = 0; i < BUDGET_SLOTS; i++)
        if (b->window[i].n > 0 && in_window(b->window[i].second, now_s))
            json_array_append_new(minute, json_pack("[I,I]", (json_int_t)b->window[i].second,
                                                    (json_int_t)b->window[i].n));
    return json_pack("{s:I,s:I,s:o,s:I}", "day", (json_int_t)b->day, "spent", (json_int_t)b->spent,
                     "minute", minute, "updated", (json_int_t)wall_ms);
}

static void merge_slot(struct budget *b, const json_t *pair, int64_t now_s)
{
    int64_t second = json_integer_value(json_array_get(pair, 0));
    int64_t n = json_integer_value(json_array_get(pair, 1));
    if (second <= 0 || n <= 0 || n > INT32_MAX || !in_window(second, now_s))
        return;
    int64_t i = second % BUDGET_SLOTS;
    if (b->window[i].second != second) {
        if (b->window[i].second > second && in_window(b->window[i].second, now_s))
            return;
        b->window[i].second = second;
        b->window[i].n = 0;
    }
    if (b->window[i].n < n)
        b->window[i].n = n;
}

void budget_merge(struct budget *b, const json_t *doc, int64_t wall_ms)
{
    const json_t *minute = json_object_get(doc, "minute");
    const json_t *day = json_object_get(doc, "day");
    int64_t spent = json_integer_value(json_object_get(doc, "spent"));
    roll_day(b, wall_ms);
    if (json_is_integer(day) && json_integer_value(day) == b->day && spent > b->spent)
        b->spent = spent < INT32_MAX ? spent : INT32_MAX;
    for (size_t i = 0; i < json_array_size(minute); i++)
        merge_slot(b, json_array_get(minute, i), wall_ms / 1000);
}
