/* Windows.
 *
 * Second, minute and hour are rolling, in slots of a tenth of a second, a second and a minute: a
 * credit taken in the second s counts until the second s + 61, so at least 60 s, never less,
 * whatever part of a second the two moments lie in; and so for the other two. Where a provider
 * counts clock minutes we are only ever more careful than it is.
 *
 * The day is one of the calendar in the provider's zone, from midnight to midnight, 23 to 25 hours
 * long. Its limits are kept in ms and computed anew when time leaves them, in either direction. A
 * clock that is set right (back over midnight, or by a day that it was ahead) finds what was spent
 * on the day that it returns to.
 *
 * A clock that is set brings no credits (budget_clock_set()): what was taken moves along with it,
 * as long ago as before; and on the day that it is set to, at least as much was spent as on the one
 * it was taken from, for both are the same real day. So neither a step over midnight nor the one
 * back lets a day be spent twice.
 *
 * The provider's counter ("3 left") is believed for a minute, counted down by what we take
 * meanwhile, and only where it is lower than our own sum: another program may use the same key,
 * but a higher number may simply not know yet of what is under way.
 *
 * Two processes, or one before and after its restart, meet in the document. Both sides keep the
 * larger number per slot and per day; the same credits are therefore never counted twice, and
 * after a restart neither the hour nor the day is spent again. Two that poll at the same time would
 * be counted as one; only one of a cluster polls, so that does not happen for long. A document of
 * an older version knows fewer windows; what it lacks counts as not spent. One of a day that is
 * still to come was written today, when the clock was ahead. */
#include "budget.h"

#include <string.h>

#include "jsonx.h"

static const int64_t DAY_MS = 86400000;
static const int64_t SAID_HOLDS_MS = 60000;

static const struct {
    const char *name;
    int64_t slot_ms; /* 0: not rolling */
    int slots;
} windows[] = {
    [BUDGET_SECOND] = {"second", 100,   11          },
    [BUDGET_MINUTE] = {"minute", 1000,  BUDGET_SLOTS},
    [BUDGET_HOUR] = {"hour",   60000, BUDGET_SLOTS},
    [BUDGET_DAY] = {"day",    0,     0           },
};

const char *budget_window_name(enum budget_window w)
{
    return windows[w].name;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t not_negative(int64_t n)
{
    return n > 0 ? n : 0;
}

/* --- the day --- */

static void roll_day(struct budget *b, int64_t wall_ms)
{
    if (wall_ms >= b->day_from_ms && wall_ms < b->day_to_ms)
        return;
    struct zone_time midnight = zone_local(b->zone, wall_ms);
    midnight.second = 0;
    int64_t day = zone_moment_ms(NULL, midnight) / DAY_MS;
    b->day_from_ms = zone_moment_ms(b->zone, midnight);
    midnight.day++;
    b->day_to_ms = zone_moment_ms(b->zone, midnight);
    if (day == b->day)
        return;
    int64_t spent = day == b->day_before ? b->spent_before : 0;
    b->day_before = b->day;
    b->spent_before = b->spent;
    b->day = day;
    b->spent = spent;
}

int64_t budget_day_reset_ms(struct budget *b, int64_t wall_ms)
{
    roll_day(b, wall_ms);
    return b->day_to_ms;
}

/* A tenth, rounded up: a plan of five credits keeps one as well. */
static int64_t day_left(struct budget *b, bool reserve, int64_t wall_ms)
{
    int64_t limit = b->limits[BUDGET_DAY];
    roll_day(b, wall_ms);
    return not_negative(limit - (reserve ? 0 : (limit + 9) / 10) - b->spent);
}

/* --- the rolling ones --- */

/* A slot from the future (the clock was set back) would count for as long as the clock was ahead:
 * beyond one window it can only be an error. */
static bool in_window(enum budget_window w, int64_t number, int64_t now)
{
    return number > now - windows[w].slots && number < now + windows[w].slots;
}

static struct budget_slot *slot_of(struct budget *b, enum budget_window w, int64_t number)
{
    return &b->slots[w][number % windows[w].slots];
}

static int64_t window_sum(const struct budget *b, enum budget_window w, int64_t wall_ms)
{
    int64_t sum = 0, now = wall_ms / windows[w].slot_ms;
    for (int i = 0; i < windows[w].slots; i++)
        if (in_window(w, b->slots[w][i].number, now))
            sum += b->slots[w][i].n;
    return sum;
}

static void note_taken(struct budget *b, enum budget_window w, int64_t n, int64_t wall_ms)
{
    int64_t number = wall_ms / windows[w].slot_ms;
    struct budget_slot *slot = slot_of(b, w, number);
    if (slot->number != number)
        *slot = (struct budget_slot){.number = number};
    slot->n += n;
}

/* Until the first of its slots leaves the window. */
static int64_t window_wait_ms(const struct budget *b, enum budget_window w, int64_t wall_ms)
{
    int64_t now = wall_ms / windows[w].slot_ms, first = INT64_MAX;
    for (int i = 0; i < windows[w].slots; i++)
        if (b->slots[w][i].n > 0 && in_window(w, b->slots[w][i].number, now))
            first = least(first, b->slots[w][i].number);
    return first == INT64_MAX ? 0 : (first + windows[w].slots) * windows[w].slot_ms - wall_ms;
}

/* --- all of them --- */

void budget_init(struct budget *b, const int64_t limits[static BUDGET_WINDOWS],
                 const struct zone *zone)
{
    *b = (struct budget){.zone = zone, .said_left = -1};
    for (int w = 0; w < BUDGET_WINDOWS; w++)
        b->limits[w] = limits[w];
}

static bool said_holds(const struct budget *b, int64_t wall_ms)
{
    return b->said_left >= 0 && wall_ms >= b->said_ms && wall_ms < b->said_ms + SAID_HOLDS_MS;
}

int64_t budget_window_left(struct budget *b, enum budget_window w, bool reserve, int64_t wall_ms)
{
    int64_t left = BUDGET_UNLIMITED;
    if (b->limits[w] > 0 && w == BUDGET_DAY)
        left = day_left(b, reserve, wall_ms);
    else if (b->limits[w] > 0)
        left = not_negative(b->limits[w] - window_sum(b, w, wall_ms));
    if (w == BUDGET_MINUTE && said_holds(b, wall_ms))
        left = least(left, b->said_left);
    return left;
}

int64_t budget_available(struct budget *b, bool reserve, int64_t wall_ms)
{
    int64_t left = BUDGET_UNLIMITED;
    for (int w = 0; w < BUDGET_WINDOWS; w++)
        left = least(left, budget_window_left(b, (enum budget_window)w, reserve, wall_ms));
    return left;
}

enum budget_window budget_exhausted(struct budget *b, bool reserve, int64_t wall_ms)
{
    for (int w = BUDGET_WINDOWS - 1; w >= 0; w--)
        if (budget_window_left(b, (enum budget_window)w, reserve, wall_ms) == 0)
            return (enum budget_window)w;
    return BUDGET_WINDOWS;
}

int64_t budget_wait_ms(struct budget *b, bool reserve, int64_t wall_ms)
{
    enum budget_window w = budget_exhausted(b, reserve, wall_ms);
    if (w == BUDGET_WINDOWS)
        return 0;
    if (w == BUDGET_DAY)
        return b->day_to_ms - wall_ms;
    int64_t wait_ms = b->limits[w] > 0 ? window_wait_ms(b, w, wall_ms) : 0;
    if (w == BUDGET_MINUTE && said_holds(b, wall_ms) && b->said_left == 0)
        wait_ms = b->said_ms + SAID_HOLDS_MS - wall_ms;
    return wait_ms > 0 ? wait_ms : 1;
}

int64_t budget_take(struct budget *b, int64_t n, bool reserve, int64_t wall_ms)
{
    int64_t got = least(n, budget_available(b, reserve, wall_ms));
    if (got <= 0)
        return 0;
    for (int w = 0; w < BUDGET_DAY; w++)
        note_taken(b, (enum budget_window)w, got, wall_ms);
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
    int64_t left = BUDGET_UNLIMITED;
    for (int w = BUDGET_MINUTE; w < BUDGET_WINDOWS; w++)
        left = least(left, budget_window_left(b, (enum budget_window)w, true, wall_ms));
    return left == BUDGET_UNLIMITED ? -1 : left;
}

/* --- the clock is set --- */

static int64_t ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b > 0);
}

/* Rounded up, so that nothing leaves its window early. */
static void move_slots(struct budget *b, enum budget_window w, int64_t by_ms)
{
    struct budget_slot before[BUDGET_SLOTS];
    int64_t by = ceil_div(by_ms, windows[w].slot_ms);
    memcpy(before, b->slots[w], sizeof before);
    memset(b->slots[w], 0, sizeof before);
    for (int i = 0; i < windows[w].slots; i++) {
        int64_t number = before[i].number + by;
        if (before[i].n > 0 && number > 0)
            *slot_of(b, w, number) = (struct budget_slot){.number = number, .n = before[i].n};
    }
}

void budget_clock_set(struct budget *b, int64_t by_ms, int64_t wall_ms)
{
    roll_day(b, wall_ms - by_ms);
    for (int w = 0; w < BUDGET_DAY; w++)
        move_slots(b, (enum budget_window)w, by_ms);
    b->said_ms += by_ms;
    int64_t day = b->day, spent = b->spent;
    roll_day(b, wall_ms);
    if (b->day == day)
        return;
    b->spent += spent;
    b->day_before = b->spent_before = 0; /* it is in the sum */
}

/* --- the document --- */

static json_t *save_window(const struct budget *b, enum budget_window w, int64_t wall_ms)
{
    json_t *slots = json_array();
    for (int i = 0; i < windows[w].slots; i++) {
        const struct budget_slot *slot = &b->slots[w][i];
        if (slot->n > 0 && in_window(w, slot->number, wall_ms / windows[w].slot_ms))
            jsonx_append(&slots, json_pack("[I,I]", (json_int_t)slot->number, (json_int_t)slot->n));
    }
    return slots;
}

json_t *budget_save(struct budget *b, int64_t wall_ms)
{
    roll_day(b, wall_ms);
    json_t *doc = json_pack("{s:I,s:I,s:I}", budget_window_name(BUDGET_DAY), (json_int_t)b->day,
                            "spent", (json_int_t)b->spent, "updated", (json_int_t)wall_ms);
    for (int w = 0; doc && w < BUDGET_DAY; w++)
        jsonx_set(&doc, windows[w].name, save_window(b, (enum budget_window)w, wall_ms));
    return doc;
}

static void merge_slot(struct budget *b, enum budget_window w, const json_t *pair, int64_t now)
{
    int64_t number = json_integer_value(json_array_get(pair, 0));
    int64_t n = json_integer_value(json_array_get(pair, 1));
    if (number <= 0 || n <= 0 || n > INT32_MAX || !in_window(w, number, now))
        return;
    struct budget_slot *slot = slot_of(b, w, number);
    if (slot->number != number) {
        if (slot->number > number && in_window(w, slot->number, now))
            return;
        *slot = (struct budget_slot){.number = number};
    }
    if (slot->n < n)
        slot->n = n;
}

static void merge_window(struct budget *b, enum budget_window w, const json_t *slots,
                         int64_t wall_ms)
{
    for (size_t i = 0; i < json_array_size(slots); i++)
        merge_slot(b, w, json_array_get(slots, i), wall_ms / windows[w].slot_ms);
}

void budget_merge(struct budget *b, const json_t *doc, int64_t wall_ms)
{
    const json_t *day = json_object_get(doc, windows[BUDGET_DAY].name);
    int64_t spent = json_integer_value(json_object_get(doc, "spent"));
    roll_day(b, wall_ms);
    if (json_is_integer(day) && json_integer_value(day) >= b->day && spent > b->spent)
        b->spent = spent < INT32_MAX ? spent : INT32_MAX;
    for (int w = 0; w < BUDGET_DAY; w++)
        merge_window(b, (enum budget_window)w, json_object_get(doc, windows[w].name), wall_ms);
}
