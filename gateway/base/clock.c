/* Wall time is the time since the machine started (sleep included: a price gets older then, too)
 * plus an offset, once clock_follow() was called. Slewing, by which NTP corrects small errors,
 * moves both clocks alike; only being set moves one of them. Like the log's level the offset is the
 * whole process's, since there is one system clock. */
#include "clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct {
    bool kept;
    int64_t offset_ns;
} wall;

int64_t clock_wall_ms(void)
{
    if (!wall.kept)
        return read_ns(CLOCK_REALTIME) / 1000000;
    return (read_ns(CLOCK_BOOTTIME) + wall.offset_ns) / 1000000;
}

/* The process may be put aside between two readings: the narrowest of a few is nearest to the
 * truth. */
static int64_t system_offset_ns(void)
{
    int64_t narrowest_ns = INT64_MAX, offset_ns = 0;
    for (int i = 0; i < 3; i++) {
        int64_t before_ns = read_ns(CLOCK_BOOTTIME), wall_ns = read_ns(CLOCK_REALTIME);
        int64_t took_ns = read_ns(CLOCK_BOOTTIME) - before_ns;
        if (took_ns >= narrowest_ns)
            continue;
        narrowest_ns = took_ns;
        offset_ns = wall_ns - before_ns - took_ns / 2;
    }
    return offset_ns;
}

int64_t clock_follow(void)
{
    int64_t offset_ns = system_offset_ns();
    int64_t by_ms = wall.kept ? (offset_ns - wall.offset_ns) / 1000000 : 0;
    if (by_ms != 0 || !wall.kept)
        wall.offset_ns = offset_ns;
    wall.kept = true;
    return llabs(by_ms) >= CLOCK_STEP_MIN_MS ? by_ms : 0;
}

int64_t clock_mono_ms(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

char *clock_rfc3339(int64_t wall_ms, char out[static CLOCK_RFC3339_MAX])
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    size_t n = strftime(out, CLOCK_RFC3339_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, CLOCK_RFC3339_MAX - n, ".%03dZ", (int)(wall_ms % 1000));
    return out;
}
