/* An exchange is designed first, from its row in the table and what the configuration changes of
 * it, and then made. */
#include "exchanges.h"

#include <errno.h>
#include <string.h>

#include "log.h"

struct entry {
    const char *name;
    struct calendar *calendar;
    struct market_clock clock;
    int last_holiday; /* as 20261225; 0 = it has no list */
};

struct exchanges {
    size_t len;
    struct entry entries[];
};

struct design {
    const char *name, *timezone, *holidays_file; /* NULL = not given */
    struct {
        enum quote_market market;
        const char *const *texts; /* NULL = not given */
        size_t len;
    } hours[3];    /* open, pre, post */
    char path[32]; /* "exchanges[3]", or the name of one that is built in */
};

static void add_problem(struct buf *problems, const struct design *d, const char *key,
                        const char *sentence)
{
    buf_addf(problems, "%s.%s: %s\n", d->path, key, sentence);
}

/* --- making --- */

/* The whole file, or as much as shows that it is too large. The caller frees. */
static char *read_file(const char *path, size_t *len, struct err *err)
{
    char *text = malloc(HOLIDAYS_BYTES_MAX + 1);
    FILE *f = text ? fopen(path, "rb") : NULL;
    bool read = false;
    if (f) {
        *len = fread(text, 1, HOLIDAYS_BYTES_MAX + 1, f);
        read = !ferror(f);
    }
    if (!read) {
        if (text)
            err_set(err, "%s: %s", strerror(errno), err_file_advice(errno));
        else
            err_set(err, "out of memory");
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    return text;
}

/* *out NULL: there is no list. -1 after a problem. */
static int load_holidays(const struct design *d, struct holidays **out, struct buf *problems)
{
    struct err err = {""};
    size_t len = 0;
    *out = NULL;
    if (!d->holidays_file)
        return 0;
    char *text = read_file(d->holidays_file, &len, &err);
    if (text)
        *out = holidays_parse(text, len, &err);
    free(text);
    if (*out)
        return 0;
    buf_addf(problems, "%s.holidays_file: %s: %s\n", d->path, d->holidays_file, err.text);
    return -1;
}

/* The spans of all three kinds; NULL: out of memory. The caller frees. */
static struct calendar_span *make_spans(const struct design *d, size_t *n)
{
    size_t all = 0;
    for (size_t k = 0; k < ARRAY_LEN(d->hours); k++)
        all += d->hours[k].len;
    struct calendar_span *spans = calloc(all + 1, sizeof *spans);
    *n = 0;
    for (size_t k = 0; spans && k < ARRAY_LEN(d->hours); k++)
        for (size_t i = 0; i < d->hours[k].len; i++) {
            spans[*n].market = d->hours[k].market;
            /* The configuration has checked its texts, a test those of the table. */
            REQUIRE(hours_parse(d->hours[k].texts[i], &spans[*n].hours) == NULL);
            ++*n;
        }
    return spans;
}

/* Takes holidays over. NULL after a problem. */
static struct calendar *make_calendar(const struct design *d, struct holidays *holidays,
                                      struct buf *problems)
{
    struct err err = {""};
    size_t n = 0;
    struct zone *zone = zone_load(d->timezone, &err);
    struct calendar_span *spans = zone ? make_spans(d, &n) : NULL;
    struct calendar *c = NULL;
    if (spans) {
        c = calendar_new(zone, holidays, spans, n);
    } else {
        zone_free(zone);
        holidays_free(holidays);
    }
    if (!c)
        add_problem(problems, d, "timezone", zone ? "out of memory" : err.text);
    free(spans);
    return c;
}

/* What goes wrong is in problems. */
static void add_exchange(struct exchanges *x, const struct design *d, struct buf *problems)
{
    static const char missing[] = "is required: no exchange of that name is built in";
    struct holidays *holidays = NULL;
    if (!d->timezone)
        add_problem(problems, d, "timezone", missing);
    if (!d->hours[0].texts)
        add_problem(problems, d, "hours", missing);
    if (load_holidays(d, &holidays, problems) != 0 || !d->timezone || !d->hours[0].texts) {
        holidays_free(holidays);
        return;
    }
    int last_holiday = holidays_last(holidays);
    struct calendar *calendar = make_calendar(d, holidays, problems);
    if (calendar)
        x->entries[x->len++] = (struct entry){.name = d->name,
                                              .calendar = calendar,
                                              .clock = {.calendar = calendar},
                                              .last_holiday = last_holiday};
}

/* --- designing --- */

static const struct exchange_row *find_row(const char *name)
{
    for (size_t i = 0; i < exchange_rows_len; i++)
        if (strcmp(exchange_rows[i].name, name) == 0)
            return &exchange_rows[i];
    return NULL;
}

/* row NULL: it is not built in. */
static struct design design_of(const char *name, const struct exchange_row *row)
{
    struct design d = {
        .name = name,
        .hours = {{.market = MARKET_OPEN}, {.market = MARKET_PRE}, {.market = MARKET_POST}}
    };
    if (!row)
        return d;
    const char *const *const texts[] = {row->hours, row->pre_hours, row->post_hours};
    d.timezone = row->timezone;
    for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
        d.hours[k].texts = texts[k];
        while (d.hours[k].len < EXCHANGE_HOURS_MAX && texts[k][d.hours[k].len])
            d.hours[k].len++;
    }
    return d;
}

static void add_configured(struct exchanges *x, const struct config *c, size_t i,
                           struct buf *problems)
{
    const struct config_exchange *e = &c->exchanges[i];
    struct design d = design_of(e->name, find_row(e->name));
    const struct {
        const char *const *texts;
        size_t len;
    } changes[] = {
        {e->hours,      e->hours_len     },
        {e->pre_hours,  e->pre_hours_len },
        {e->post_hours, e->post_hours_len},
    };
    snprintf(d.path, sizeof d.path, "exchanges[%zu]", i);
    d.holidays_file = e->holidays_file;
    if (e->timezone)
        d.timezone = e->timezone;
    for (size_t k = 0; k < ARRAY_LEN(changes); k++)
        if (changes[k].texts) {
            d.hours[k].texts = changes[k].texts;
            d.hours[k].len = changes[k].len;
        }
    add_exchange(x, &d, problems);
}

static void add_built_in(struct exchanges *x, const struct exchange_row *row, struct buf *problems)
{
    struct design d = design_of(row->name, row);
    if (!zone_known(row->timezone)) {
        log_event(LOG_WARN, "calendar_missing", "exchange=%s timezone=%s why=%s", row->name,
                  row->timezone, "this machine does not know that time zone (package tzdata)");
        return;
    }
    snprintf(d.path, sizeof d.path, "%s", row->name);
    add_exchange(x, &d, problems);
}

/* Those that an instrument names, each once, even if it can't be had. */
static void add_named(struct exchanges *x, const struct config *c, struct buf *problems)
{
    bool tried[64] = {false};
    REQUIRE(exchange_rows_len <= ARRAY_LEN(tried));
    for (size_t i = 0; i < c->instruments_len; i++) {
        const char *name = c->instruments[i].exchange;
        const struct exchange_row *row = name ? find_row(name) : NULL;
        if (!row || tried[row - exchange_rows] || exchanges_clock(x, name))
            continue;
        tried[row - exchange_rows] = true;
        add_built_in(x, row, problems);
    }
}

struct exchanges *exchanges_new(const struct config *c, struct buf *problems)
{
    size_t max = c->exchanges_len + exchange_rows_len, before = problems->len;
    struct exchanges *x = calloc(1, sizeof *x + max * sizeof x->entries[0]);
    if (!x) {
        buf_adds(problems, "exchanges: out of memory\n");
        return NULL;
    }
    for (size_t i = 0; i < c->exchanges_len; i++)
        add_configured(x, c, i, problems);
    if (problems->len == before && !problems->failed)
        add_named(x, c, problems);
    if (problems->len == before && !problems->failed)
        return x;
    exchanges_free(x);
    return NULL;
}

void exchanges_free(struct exchanges *x)
{
    for (size_t i = 0; x && i < x->len; i++)
        calendar_free(x->entries[i].calendar);
    free(x);
}

const char *exchanges_run_out(const struct exchanges *x, int64_t wall_ms, size_t *at)
{
    struct zone_time t = zone_local(NULL, wall_ms);
    int today = (t.year * 100 + t.month) * 100 + t.day;
    while (*at < x->len) {
        const struct entry *e = &x->entries[(*at)++];
        if (e->last_holiday > 0 && e->last_holiday < today)
            return e->name;
    }
    return NULL;
}

/* --- what they say --- */

void exchanges_turn(struct exchanges *x, int64_t wall_ms)
{
    for (size_t i = 0; i < x->len; i++)
        market_clock_turn(&x->entries[i].clock, wall_ms);
}

const struct market_clock *exchanges_clock(const struct exchanges *x, const char *name)
{
    for (size_t i = 0; name && i < x->len; i++)
        if (strcmp(x->entries[i].name, name) == 0)
            return &x->entries[i].clock;
    return NULL;
}
