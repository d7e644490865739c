/* sim.c - a market for Sundays: prices from a formula, no network, no state, no clock.
 *
 * The price of a symbol at a time is a pure function of the two, so that every process shows the
 * same market, a restart changes nothing and a test can name the number. A random walk has state; a
 * sum of octaves of value noise looks like one and has none: octave k has a hashed value at every
 * 2^k-th step and straight lines between them, and its amplitude grows by 1.3 per octave. That
 * gives jitter from step to step and trends over days, and bounds that can be computed: never more
 * than 12.4 % from the start price, never more than 0.1 % in a step.
 *
 *     step (250 ms) ──► 21 octaves ──► parts per million ──► start price ──► tick
 *
 * Day figures. open and prev_close are the price at the first step of the UTC day and the one
 * before it. For high and low nobody wants to look at 345,600 steps per quote: the octaves from
 * 2^10 on are one straight line between multiples of 1024 steps, so their extremes are found there,
 * and the small octaves are given their full amplitude. The figures are an envelope, a little wider
 * than the steps were, that holds every price of the day so far and never moves back.
 *
 * Weather. A symbol that begins with "weather/" has no price: it is an observation of the same
 * noise, a new one each minute.
 *
 * Faults. A symbol that ends in one, "coffee!wrong", is the same price from a source that fails now
 * and then (sim_fault.h): another pure function, laid over this one.
 *
 * Integers throughout: the same digits on every machine. */
#include <string.h>

#include "provider.h"
#include "sim_fault.h"
#include "symbol.h"

enum { STEP_MS = 250, OCTAVES = 21, COARSE = 10 };

static const int64_t DAY_MS = 86400000, MINUTE_MS = 60000;
static const int64_t PPM = 1000000;
static const uint64_t SEED = 0x70726963656761ULL;

/* Amplitude of octave k in parts per million: 150 * 1.3^k. */
static const int64_t amplitudes[OCTAVES] = {150,  195,  254,  330,   428,   557,   724,
                                            941,  1224, 1591, 2068,  2688,  3495,  4543,
                                            5906, 7678, 9981, 12976, 16868, 21929, 28507};

/* Start price in ticks of 10^-digits. */
static const struct listing {
    const char *symbol, *currency;
    int64_t start;
    int digits;
    bool book; /* bid and ask are given */
} listings[] = {
    {"AAPL",     "USD", 23150,   2, false},
    {"AMZN",     "USD", 22480,   2, false},
    {"AUD/USD",  "USD", 65420,   5, true },
    {"BTC/USD",  "USD", 9425000, 2, true },
    {"ETH/USD",  "USD", 341500,  2, true },
    {"EUR/USD",  "USD", 108450,  5, true },
    {"GBP/USD",  "USD", 127300,  5, true },
    {"GOOGL",    "USD", 18160,   2, false},
    {"JPM",      "USD", 24130,   2, false},
    {"MSFT",     "USD", 43870,   2, false},
    {"NVDA",     "USD", 13820,   2, false},
    {"TSLA",     "USD", 26740,   2, false},
    {"USD/CHF",  "CHF", 88150,   5, true },
    {"USD/JPY",  "JPY", 150320,  3, true },
    {"brent",    "USD", 7640,    2, false},
    {"cocoa",    "USD", 820000,  2, false},
    {"coffee",   "USD", 29430,   4, false},
    {"cotton",   "USD", 68000,   5, false},
    {"crude",    "USD", 7235,    2, false},
    {"gasoline", "USD", 21420,   4, false},
    {"natgas",   "USD", 29300,   4, false},
    {"sugar",    "USD", 21000,   5, false},
};

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

static uint64_t hash_symbol(const char *symbol)
{
    uint64_t h = SEED;
    for (; *symbol; symbol++)
        h = mix(h + (unsigned char)*symbol + 0x9e3779b97f4a7c15ULL);
    return h;
}

/* The value of octave k at its i-th point, -amplitude..amplitude. */
static int64_t octave_point(uint64_t seed, int k, int64_t i)
{
    uint64_t h = mix(seed ^ mix((uint64_t)i * 64 + (uint64_t)k + 1));
    return (int64_t)(h % (uint64_t)(2 * amplitudes[k] + 1)) - amplitudes[k];
}

/* Sum of the octaves from k_min on at a step, in ppm. */
static int64_t noise(uint64_t seed, int k_min, int64_t step)
{
    int64_t sum = 0;
    for (int k = k_min; k < OCTAVES; k++) {
        int64_t period = (int64_t)1 << k, i = step / period, into = step % period;
        int64_t a = octave_point(seed, k, i);
        sum += a;
        if (into > 0)
            sum += (octave_point(seed, k, i + 1) - a) * into / period;
    }
    return sum;
}

/* start * (1 + ppm / 10^6) in ticks, to the nearest. */
static int64_t ticks_at(int64_t start, int64_t ppm)
{
    return start + (start * ppm + (ppm < 0 ? -PPM / 2 : PPM / 2)) / PPM;
}

struct envelope {
    int64_t low, high; /* ppm */
};

/* Of the steps first..last: the coarse octaves at the points around and between them. */
static struct envelope envelope_of(uint64_t seed, int64_t first, int64_t last)
{
    const int64_t stride = (int64_t)1 << COARSE;
    int64_t small = OCTAVES; /* what the division in noise() may cost */
    struct envelope e = {INT64_MAX, INT64_MIN};
    for (int64_t s = first - first % stride; s < last + stride; s += stride) {
        int64_t ppm = noise(seed, COARSE, s);
        e.low = ppm < e.low ? ppm : e.low;
        e.high = ppm > e.high ? ppm : e.high;
    }
    for (int k = 0; k < COARSE; k++)
        small += amplitudes[k];
    e.low -= small;
    e.high += small;
    return e;
}

/* What stands behind the slash of a pair, else dollars. */
static void currency_of_symbol(const char *symbol, char out[static 8])
{
    const char *slash = strrchr(symbol, '/');
    bool pair = slash && strspn(slash + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3 && !slash[4];
    snprintf(out, 8, "%s", pair ? slash + 1 : "USD");
}

/* Any other symbol: between 10 and 1,000 of its currency, in ticks of a thousandth. */
static struct listing invent(uint64_t seed)
{
    return (struct listing){.start = 10000 + (int64_t)(mix(seed + 1) % 990001), .digits = 3};
}

static struct listing listing_of(const char *symbol, uint64_t seed)
{
    for (size_t i = 0; i < ARRAY_LEN(listings); i++)
        if (strcmp(listings[i].symbol, symbol) == 0)
            return listings[i];
    return invent(seed);
}

static const char *symbol_problem(const char *symbol)
{
    enum sim_fault fault;
    size_t len;
    if (!symbol_valid(symbol, strlen(symbol)))
        return "should look like AAPL, EUR/USD or coffee: any symbol that an instrument may have";
    if (!sim_fault_of(symbol, &len, &fault) || !symbol_valid(symbol, len))
        return "may end in one of the faults !late, !silent and !wrong, behind a symbol";
    return NULL;
}

static struct decimal price(int64_t ticks, int digits)
{
    return (struct decimal){.coef = ticks, .scale = digits, .given = true};
}

/* A healthy source's answer. `symbol` is valid, now_ms at least two days. */
static void quote_at(const char *symbol, int64_t now_ms, struct record *out)
{
    /* The symbols' steps are spread over the 250 ms, or the whole market would move as one. */
    uint64_t seed = hash_symbol(symbol);
    int64_t phase = (int64_t)(seed % STEP_MS), step = (now_ms - phase) / STEP_MS;
    int64_t ts_ms = step * STEP_MS + phase, day_ms = ts_ms - ts_ms % DAY_MS;
    int64_t first = (day_ms - phase + STEP_MS - 1) / STEP_MS; /* step of the day */

    struct listing l = listing_of(symbol, seed);
    struct envelope e = envelope_of(seed, first, step);
    int64_t ticks = ticks_at(l.start, noise(seed, 0, step));
    int64_t pace = 1 + (int64_t)(mix(seed + 2) % 200);
    out->price = price(ticks, l.digits);
    out->open = price(ticks_at(l.start, noise(seed, 0, first)), l.digits);
    out->prev_close = price(ticks_at(l.start, noise(seed, 0, first - 1)), l.digits);
    out->low = price(ticks_at(l.start, e.low), l.digits);
    out->high = price(ticks_at(l.start, e.high), l.digits);
    out->volume = decimal_from_int((step - first + 1) * pace +
                                   (int64_t)(mix(seed + (uint64_t)step) % (uint64_t)pace));
    if (l.book) {
        out->bid = price(ticks - 1, l.digits);
        out->ask = price(ticks + 1, l.digits);
    }
    if (l.currency)
        snprintf(out->currency, sizeof out->currency, "%s", l.currency);
    else
        currency_of_symbol(symbol, out->currency);
    out->ts_ms = ts_ms;
    out->market = MARKET_OPEN;
}

/* What the weather has, around which value, and how far the noise of +-124,000 ppm moves it. */
static const struct {
    const char *name, *unit;
    int64_t around, ppm_per_tick; /* in ticks of a tenth */
} weather[] = {
    {"temperature_2m",       "\u00b0C", 210, 1000},
    {"relative_humidity_2m", "%",       650, 400 },
    {"wind_speed_10m",       "km/h",    140, 1000},
};

static void weather_at(const char *symbol, int64_t now_ms, struct answer *out)
{
    uint64_t seed = hash_symbol(symbol);
    int64_t minute = now_ms / MINUTE_MS;
    struct observation *o = answer_observe(out);
    if (!o)
        return;
    for (size_t i = 0; i < ARRAY_LEN(weather); i++) {
        struct observed *v = &o->values[o->values_len++];
        int64_t ppm = noise(seed + i, 0, minute);
        snprintf(v->name, sizeof v->name, "%s", weather[i].name);
        snprintf(v->unit, sizeof v->unit, "%s", weather[i].unit);
        v->value = price(weather[i].around + ppm / weather[i].ppm_per_tick, 1);
    }
    out->record.ts_ms = minute * MINUTE_MS;
}

static void sim_generate(const char *symbol, int64_t now_ms, struct answer *out)
{
    char base[SYMBOL_MAX + 1];
    enum sim_fault fault;
    size_t len;

    if (symbol_problem(symbol) || now_ms < 2 * DAY_MS) {
        parse_fail(out, FAIL_NOT_FOUND, "no such symbol");
        return;
    }
    (void)sim_fault_of(symbol, &len, &fault);
    snprintf(base, sizeof base, "%.*s", (int)len, symbol);
    struct sim_trouble trouble = sim_fault_at(hash_symbol(symbol), now_ms);
    if (!trouble.on)
        fault = SIM_HEALTHY;
    if (fault == SIM_SILENT) {
        parse_fail(out, FAIL_TIMEOUT, "this simulated source says nothing for now");
        return;
    }
    int64_t at_ms = fault == SIM_LATE ? trouble.since_ms : now_ms;
    if (strncmp(base, "weather/", 8) == 0) {
        weather_at(base, at_ms, out);
        return;
    }
    quote_at(base, at_ms, &out->record);
    if (fault == SIM_WRONG)
        out->record.price = sim_fault_wrong(out->record.price, trouble.turn);
}

const struct provider provider_sim = {
    .rule = {.name = "sim",
             .serves = SERVES_BOTH,
             .enabled_by_default = true,
             .symbol_problem = symbol_problem},
    .data = DATA_REAL_TIME,
    .auth = AUTH_NONE,
    .position = 99,
    .batch_max = 1,
    .generate = sim_generate,
};
