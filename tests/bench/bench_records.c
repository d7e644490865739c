/* bench_records.c - how many records a second one core takes from a reply to the bus.
 *
 * A batch reply of Twelve Data with 120 symbols, as long a quote as it sends, goes the whole way:
 * parsed, checked by every rule of quality, encoded and handed to an embedded bus. Prices move from
 * reply to reply, so none is "unchanged". The same bytes are given to jansson alone, in turn with
 * ours, in the same process: the bar that no parser on top of it can be above.
 *
 * Unlike the other instruments this one is built of what it measures: there is no server in
 * between.
 *
 *   bench_records [--rounds N] [--seconds S]      one line of JSON on stdout, medians of the rounds
 *   bench_records --spin S                        ours alone for S seconds: for a profiler */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "provider.h"
#include "publish.h"
#include "quality.h"

enum { REPLIES = 8, ROUNDS_MAX = 99 };

static const int64_t NOW_MS = 1767225600000;

struct bench {
    const struct provider *provider;
    struct buf replies[REPLIES];
    char symbols[PROVIDER_BATCH_MAX][16];
    const char *names[PROVIDER_BATCH_MAX];
    struct config_source sources[PROVIDER_BATCH_MAX];
    struct instrument instruments[PROVIDER_BATCH_MAX];
    struct quality_memory memories[PROVIDER_BATCH_MAX];
    struct publication publications[PROVIDER_BATCH_MAX];
    struct answer answers[PROVIDER_BATCH_MAX];
    uv_loop_t loop;
    struct bus *bus;
    int64_t turn;        /* replies taken so far */
    size_t heard, bytes; /* items */
};

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_records: %s\n", what);
    exit(1);
}

/* One quote as /quote sends it for an equity. `cents` is the price. */
static void add_quote(struct buf *out, const char *symbol, int cents, int64_t at_s)
{
    const int open = cents - 37, high = cents + 151, low = cents - 212, prev = cents - 90;
    buf_addf(
        out,
        "\"%s\":{\"symbol\":\"%s\",\"name\":\"Company of the symbol %s\",\"exchange\":\"NASDAQ\","
        "\"mic_code\":\"XNGS\",\"currency\":\"USD\",\"datetime\":\"2026-01-01\",\"timestamp\":%lld,"
        "\"last_quote_at\":%lld,\"open\":\"%d.%02d000\",\"high\":\"%d.%02d000\",\"low\":\"%d.%"
        "02d000\","
        "\"close\":\"%d.%02d000\",\"volume\":\"49831100\",\"previous_close\":\"%d.%02d000\","
        "\"change\":\"0.90000\",\"percent_change\":\"0.60606\",\"average_volume\":\"52031170\","
        "\"is_market_open\":true,\"fifty_two_week\":{\"low\":\"124.16999\",\"high\":\"198.23000\","
        "\"low_change\":\"26.15001\",\"high_change\":\"-47.91000\",\"low_change_percent\":\"21."
        "05985\","
        "\"high_change_percent\":\"-24.16889\",\"range\":\"124.169998 - 198.229996\"}}",
        symbol, symbol, symbol, (long long)at_s - 3600, (long long)at_s, open / 100, open % 100,
        high / 100, high % 100, low / 100, low % 100, cents / 100, cents % 100, prev / 100,
        prev % 100);
}

static void make_replies(struct bench *b)
{
    for (int r = 0; r < REPLIES; r++) {
        buf_addc(&b->replies[r], '{');
        for (int i = 0; i < PROVIDER_BATCH_MAX; i++) {
            buf_adds(&b->replies[r], i ? "," : "");
            add_quote(&b->replies[r], b->symbols[i], 15000 + 100 * i + 3 * r, NOW_MS / 1000 - 5);
        }
        buf_addc(&b->replies[r], '}');
        if (b->replies[r].failed)
            die("out of memory");
    }
}

static void make_instruments(struct bench *b)
{
    for (int i = 0; i < PROVIDER_BATCH_MAX; i++) {
        snprintf(b->symbols[i], sizeof b->symbols[i], "SYM%03d", i);
        b->names[i] = b->symbols[i];
        b->sources[i] = (struct config_source){"twelvedata", 0, b->symbols[i]};
        b->instruments[i] = (struct instrument){
            .symbol = b->symbols[i],
            .category = "equities",
            .unit = "USD/share",
            .currency = "USD",
            .range_min = decimal_from_int(10),
            .range_max = decimal_from_int(2000),
            .poll_ms = 15000,
            .delayed_after_ms = 60000,
            .ttl_s = 120,
            .max_jump_pct = 20,
            .sources = &b->sources[i],
            .sources_len = 1,
        };
    }
}

static void hear_item(void *ctx, int id, const char *bytes, size_t len)
{
    struct bench *b = ctx;
    (void)id, (void)bytes;
    b->heard++;
    b->bytes += len;
}

static void make_bus(struct bench *b)
{
    const struct bus_options options = {.url = "", .prefix = "", .symbols_max = PROVIDER_BATCH_MAX};
    const struct bus_handler handler = {.ctx = b, .item = hear_item};
    struct err err = {0};
    uv_loop_init(&b->loop);
    b->bus = bus_new(&b->loop, &options, &handler, &err);
    if (!b->bus)
        die(err.text);
    for (int i = 0; i < PROVIDER_BATCH_MAX; i++)
        if (bus_watch(b->bus, b->symbols[i], INSTRUMENT_QUOTE, i) != 0)
            die("out of memory");
    if (bus_start(b->bus, &err) != 0)
        die(err.text);
}

/* One reply, the whole way. */
static void take_reply(struct bench *b)
{
    const struct buf *body = &b->replies[b->turn % REPLIES];
    const struct http_reply reply = {
        .status = 200,
        .body = body->p,
        .len = body->len,
        .retry_after_s = -1,
        .credits_used = -1,
        .credits_left = -1,
    };
    struct verdict verdict = {.credits_left = -1};
    int64_t now_ms = NOW_MS + b->turn++;
    memset(b->answers, 0, sizeof b->answers);
    b->provider->parse(&reply, b->names, PROVIDER_BATCH_MAX, now_ms, b->answers, &verdict);
    for (int i = 0; i < PROVIDER_BATCH_MAX; i++) {
        struct answer *a = &b->answers[i];
        if (a->failure != FAIL_NONE)
            die(a->detail);
        struct quality_result q =
            quality_check(&b->instruments[i], &b->memories[i], 0, &a->record, now_ms);
        if (q.failure != FAIL_NONE)
            die(q.why.text);
        const struct publish_input x = {
            .id = i,
            .in = &b->instruments[i],
            .record = &a->record,
            .epoch_ms = (uint64_t)NOW_MS,
            .interval_ms = 15000,
            .until_next_ms = 15000,
            .wall_ms = now_ms,
            .mono_ms = now_ms,
        };
        if (publish_record(b->bus, &b->publications[i], &x) != PUBLISH_SENT)
            die("a record was not published");
        quality_accept(&b->memories[i], a->record.price, a->record.ts_ms);
    }
    answers_fini(b->answers, PROVIDER_BATCH_MAX);
}

static void jansson_alone(struct bench *b)
{
    json_t *root = json_loads(b->replies[b->turn++ % REPLIES].p, 0, NULL);
    if (!root)
        die("not JSON");
    json_decref(root);
}

/* Records a second of CPU time. */
static double rate(struct bench *b, void (*once)(struct bench *b), double seconds)
{
    double begin = seconds_now(), now;
    int64_t replies = 0;
    do {
        for (int i = 0; i < 8; i++, replies++)
            once(b);
        now = seconds_now();
    } while (now - begin < seconds);
    return (double)replies * PROVIDER_BATCH_MAX / (now - begin);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void measure(struct bench *b, int rounds, double seconds)
{
    double ours[ROUNDS_MAX], alone[ROUNDS_MAX], share[ROUNDS_MAX];
    (void)rate(b, take_reply, seconds / 4);
    b->heard = b->bytes = 0;
    for (int i = 0; i < rounds; i++) {
        ours[i] = rate(b, take_reply, seconds);
        alone[i] = rate(b, jansson_alone, seconds);
        share[i] = ours[i] / alone[i];
    }
    printf("{\"records_per_s\":%.0f,\"jansson_per_s\":%.0f,\"to_jansson\":%.3f,\"rounds\":%d,"
           "\"symbols\":%d,\"reply_bytes\":%zu,\"item_bytes\":%.0f}\n",
           median(ours, rounds), median(alone, rounds), median(share, rounds), rounds,
           PROVIDER_BATCH_MAX, b->replies[0].len, (double)b->bytes / (double)b->heard);
}

int main(int argc, char **argv)
{
    static struct bench b;
    int rounds = 5;
    double seconds = 1, spin = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rounds") == 0)
            rounds = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--seconds") == 0)
            seconds = atof(argv[i + 1]);
        else if (strcmp(argv[i], "--spin") == 0)
            spin = atof(argv[i + 1]);
        else
            die("options: --rounds N, --seconds S, --spin S");
    }
    b.provider = provider_find("twelvedata");
    make_instruments(&b);
    make_replies(&b);
    make_bus(&b);
    if (spin > 0)
        printf("%.0f\n", rate(&b, take_reply, spin));
    else
        measure(&b, rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds, seconds);
    return 0;
}
