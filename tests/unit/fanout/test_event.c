#include "event.h"

#include "rig.h"

/* --- a reader of events --- */

#define READER_ROOMY INT64_C(1000000000)

struct reader {
    struct rig *rig;
    struct client *client;
    struct buf text; /* what came and was not looked at yet */
    int64_t room;    /* bytes that the socket still takes; <= 0: busy */
    bool wants, closed;
    enum close_reason reason;
    int writes;
};

static int reader_write(void *sock, const void *bytes, size_t len)
{
    struct reader *r = sock;
    assert_false(r->closed);
    buf_add(&r->text, bytes, len);
    r->room -= (int64_t)len;
    r->writes++;
    return 0;
}

static bool reader_busy(void *sock)
{
    return ((struct reader *)sock)->room <= 0;
}

static void reader_want_writable(void *sock)
{
    ((struct reader *)sock)->wants = true;
}

static int64_t reader_unsent(void *sock)
{
    (void)sock;
    return 100;
}

static void reader_close(void *sock, enum close_reason reason)
{
    struct reader *r = sock;
    assert_false(r->closed);
    r->closed = true;
    r->reason = reason;
}

static const struct client_sink reader_sink = {
    .write = reader_write,
    .busy = reader_busy,
    .want_writable = reader_want_writable,
    .unsent_bytes = reader_unsent,
    .close = reader_close,
};

/* ids: -1 ends them. */
static void reader_open(struct reader *r, struct rig *rig, const int *ids, const char *last_id)
{
    static const struct grant grant = {.role = ROLE_VIEWER};
    struct fanout_wish wish = {.ids = ids, .last_event_id = last_id, .grant = &grant};
    while (ids[wish.ids_len] >= 0)
        wish.ids_len++;
    *r = (struct reader){.rig = rig, .room = READER_ROOMY};
    r->client = fanout_event_client_new(rig->f, &reader_sink, r, &wish, rig->wall_ms, rig->mono_ns);
    assert_non_null(r->client);
}

static void reader_close_all(struct reader *r)
{
    fanout_client_free(r->client);
    buf_fini(&r->text);
}

static void reader_drain(struct reader *r, int64_t room)
{
    r->room = room;
    if (!r->wants)
        return;
    r->wants = false;
    fanout_client_writable(r->client, r->rig->mono_ns);
}

/* What came, as lines "quote <id's number> <data>"; the rig starts at RIG_START_MS. */
#define RIG_START_MS 0x19b2f0c6a00

static char *reader_lines(struct reader *r)
{
    struct buf out = {0};
    char id[64] = "", event[16] = "";
    const char *p = r->text.p ? r->text.p : "";
    while (*p) {
        int len = (int)strcspn(p, "\n");
        unsigned long long start, n;
        if (sscanf(p, "id: %llx:%llu", &start, &n) == 2) {
            assert_int_equal(start, RIG_START_MS);
            snprintf(id, sizeof id, "%llu", n);
        } else if (strncmp(p, "event: ", 7) == 0) {
            snprintf(event, sizeof event, "%.*s", len - 7, p + 7);
        } else if (strncmp(p, "data: ", 6) == 0) {
            buf_addf(&out, "%s %s %.*s", event, id, len - 6, p + 6);
        } else if (strncmp(p, "retry: ", 7) == 0) {
            buf_add(&out, p, (size_t)len);
        } else if (*p == ':') {
            assert_int_equal(len, 1);
            buf_adds(&out, "comment");
        } else {
            assert_int_equal(len, 0);
            buf_addc(&out, '\n');
        }
        p += len + (p[len] == '\n');
    }
    buf_clear(&r->text);
    buf_addc(&out, '\0');
    return buf_take(&out, NULL);
}

static void expect_at(struct reader *r, const char *want, const char *file, int line)
{
    char *got = reader_lines(r);
    if (strcmp(got, want) != 0) {
        print_error("%s:%d\nwant %s\ngot  %s\n", file, line, want, got);
        free(got);
        fail();
    }
    free(got);
}
#define expect(r, want) expect_at((r), (want), __FILE__, __LINE__)

static void begin(struct rig *r)
{
    rig_init(r);
    fanout_started(r->f, RIG_START_MS);
}

/* A short item, so that whole events can be compared. Revisions count items and told statuses. */
static void price(struct rig *r, int id, const char *price)
{
    char text[200];
    struct err err = {{0}};
    enum instrument_kind kind = r->instruments[id].kind;
    int len = snprintf(text, sizeof text, "{\"symbol\":\"%s\",\"%s\":%s,\"state\":\"live\"}",
                       r->names[id], kind == INSTRUMENT_QUOTE ? "price" : "value", price);
    struct item *it = item_parse(text, (size_t)len, kind, r->names[id], r->wall_ms, &err);
    assert_non_null(it);
    assert_int_equal(fanout_item(r->f, id, it, r->wall_ms, r->mono_ns), FANOUT_TAKEN);
    item_unref(it);
}

#define COFFEE_AT(n, p) "quote " n " {\"symbol\":\"coffee\",\"price\":" p ",\"state\":\"live\"}\n"
#define EURUSD_AT(n, p) "quote " n " {\"symbol\":\"EUR/USD\",\"price\":" p ",\"state\":\"live\"}\n"
#define EURGBP_AT(n, p) "quote " n " {\"symbol\":\"EUR/GBP\",\"price\":" p ",\"state\":\"live\"}\n"

static void status_at(char *out, size_t room, const char *more, const char *n, const char *symbol,
                      int64_t since_ms)
{
    snprintf(out, room,
             "%sstatus %s {\"symbol\":\"%s\",\"state\":\"unavailable\",\"since\":%lld,"
             "\"market\":\"unknown\"}\n",
             more, n, symbol, (long long)since_ms);
}

/* --- tests --- */

static void a_snapshot_then_updates_in_the_order_of_revisions(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, EURUSD, AAPL, -1};
    struct rig rig;
    struct reader r;
    char want[600];
    begin(&rig);
    price(&rig, EURUSD, "1.10");
    price(&rig, COFFEE, "2.9430");
    reader_open(&r, &rig, ids, NULL);
    assert_int_equal(r.writes, 1);
    status_at(want, sizeof want, EURUSD_AT("1", "1.10") COFFEE_AT("2", "2.9430"), "3", "AAPL",
              rig.wall_ms);
    expect(&r, want);

    price(&rig, EURUSD, "1.11");
    price(&rig, COFFEE, "2.95");
    price(&rig, EURGBP, "0.8"); /* not asked for */
    price(&rig, EURUSD, "1.12");
    fanout_turn(rig.f, rig.mono_ns + 10 * MS);
    expect(&r, COFFEE_AT("5", "2.95") EURUSD_AT("7", "1.12"));
    assert_int_equal(r.writes, 2);
    reader_close_all(&r);
    rig_fini(&rig);
}

static void an_id_of_ours_brings_only_what_is_newer(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, EURUSD, EURGBP, -1};
    static const char all[] = COFFEE_AT("1", "1") EURUSD_AT("2", "2") EURGBP_AT("3", "3");
    static const char but_coffee[] = EURUSD_AT("2", "2") EURGBP_AT("3", "3");
    static const char eurgbp[] = EURGBP_AT("3", "3");
    /* An id not of this process, not given yet, or no id at all: everything. */
    static const char *const cases[][2] = {
        {"19b2f0c6a00:0",  all       },
        {"19b2f0c6a00:1",  but_coffee},
        {"19b2f0c6a00:2",  eurgbp    },
        {"19b2f0c6a00:3",  ""        },
        {"19b2f0c6a01:2",  all       },
        {"19b2f0c6a00:4",  all       },
        {"2",              all       },
        {"",               all       },
        {"19b2f0c6a00:-1", all       },
    };
    struct rig rig;
    begin(&rig);
    price(&rig, COFFEE, "1");
    price(&rig, EURUSD, "2");
    price(&rig, EURGBP, "3");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reader r;
        reader_open(&r, &rig, ids, cases[i][0]);
        expect(&r, cases[i][1]);
        reader_close_all(&r);
    }
    rig_fini(&rig);
}

static void a_state_that_no_item_tells_comes_again(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, AAPL, -1};
    struct rig rig;
    struct reader r;
    char want[300];
    begin(&rig);
    price(&rig, COFFEE, "1");
    reader_open(&r, &rig, ids, "19b2f0c6a00:1");
    status_at(want, sizeof want, "", "2", "AAPL", rig.wall_ms);
    expect(&r, want);
    rig_tick_ms(&rig, 61000); /* the price gets old */
    char *got = reader_lines(&r);
    assert_non_null(strstr(got, "status 3 {\"symbol\":\"coffee\",\"state\":\"stale\""));
    free(got);
    reader_close_all(&r);
    reader_open(&r, &rig, ids, "19b2f0c6a00:3");
    got = reader_lines(&r);
    assert_null(strstr(got, "quote"));
    assert_non_null(strstr(got, "\"symbol\":\"coffee\",\"state\":\"stale\""));
    assert_non_null(strstr(got, "\"symbol\":\"AAPL\",\"state\":\"unavailable\""));
    free(got);
    reader_close_all(&r);
    rig_fini(&rig);
}

static void line_breaks_between_members_are_data_lines(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, -1};
    static const char text[] = "{\"symbol\":\"coffee\",\n\"price\":1.0,\r\n\"state\":\r\"live\"}";
    struct rig rig;
    struct reader r;
    struct err err = {{0}};
    begin(&rig);
    struct item *it = item_parse(text, strlen(text), INSTRUMENT_QUOTE, "coffee", rig.wall_ms, &err);
    assert_non_null(it);
    assert_int_equal(fanout_item(rig.f, COFFEE, it, rig.wall_ms, rig.mono_ns), FANOUT_TAKEN);
    item_unref(it);
    reader_open(&r, &rig, ids, NULL);
    buf_addc(&r.text, '\0');
    assert_string_equal(r.text.p, "id: 19b2f0c6a00:1\nevent: quote\n"
                                  "data: {\"symbol\":\"coffee\",\ndata: \"price\":1.0,\n"
                                  "data: \"state\":\ndata: \"live\"}\n\n");
    buf_clear(&r.text);
    reader_close_all(&r);
    rig_fini(&rig);
}

static void events_and_frames_of_one_set_are_two_views(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, -1};
    struct rig rig;
    struct reader a, b;
    struct peer p;
    begin(&rig);
    reader_open(&a, &rig, ids, NULL);
    reader_open(&b, &rig, ids, NULL);
    peer_open(&p, &rig);
    peer_say(&p, "{\"action\":\"subscribe\",\"symbols\":[\"coffee\"],\"snapshot\":false}");
    assert_int_equal(rig.f->views.used, 2);
    assert_ptr_equal(a.client->seat.view, b.client->seat.view);
    assert_ptr_not_equal(a.client->seat.view, p.client->seat.view);
    buf_clear(&a.text);
    buf_clear(&b.text);
    peer_forget(&p);
    price(&rig, COFFEE, "7");
    fanout_turn(rig.f, rig.mono_ns);
    expect(&a, COFFEE_AT("3", "7")); /* behind the two statuses */
    expect(&b, COFFEE_AT("3", "7"));
    peer_expect(&p, "{\"type\":\"quote\",\"data\":[{\"symbol\":\"coffee\",\"price\":7,"
                    "\"state\":\"live\"}]}");
    reader_close_all(&a);
    reader_close_all(&b);
    peer_free(&p);
    assert_int_equal(rig.f->views.used, 0);
    rig_fini(&rig);
}

/* An observation is an event of its own name; the order of revisions knows no kinds. */
static void observations_are_events_of_their_own(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, EURUSD, EURGBP, -1};
    struct rig rig;
    struct reader r, again;
    begin(&rig);
    rig.instruments[EURUSD].kind = INSTRUMENT_OBSERVATION;
    price(&rig, EURUSD, "-4");
    price(&rig, COFFEE, "1");
    reader_open(&r, &rig, ids, NULL);
    buf_clear(&r.text);
    price(&rig, EURGBP, "2");
    price(&rig, EURUSD, "-5");
    price(&rig, COFFEE, "3");
    fanout_turn(rig.f, rig.mono_ns);
    char *lines = reader_lines(&r);
    assert_non_null(strstr(lines, "observation "));
    const char *gbp = strstr(lines, "quote "), *usd = strstr(lines, "observation "),
               *coffee = strstr(lines, "{\"symbol\":\"coffee\",\"price\":3,");
    assert_true(gbp && strstr(gbp, "\"symbol\":\"EUR/GBP\"") && gbp < usd && usd < coffee);
    assert_non_null(strstr(usd, " {\"symbol\":\"EUR/USD\",\"value\":-5,\"state\":\"live\"}\n"));
    free(lines);

    reader_open(&again, &rig, ids, "19b2f0c6a00:0"); /* the snapshot, too */
    lines = reader_lines(&again);
    assert_non_null(strstr(lines, "observation "));
    assert_null(strstr(lines, "-4"));
    free(lines);
    reader_close_all(&r);
    reader_close_all(&again);
    rig_fini(&rig);
}

/* Whatever is lost with the connection comes again by the last id: the order keeps its promise for
 * one who reads slowly, too. */
static void a_slow_reader_gets_the_newest_in_order(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, EURUSD, EURGBP, -1};
    struct rig rig;
    struct reader r;
    begin(&rig);
    price(&rig, COFFEE, "1");
    price(&rig, EURUSD, "2");
    price(&rig, EURGBP, "3");
    reader_open(&r, &rig, ids, "19b2f0c6a00:3");
    r.room = 1;
    price(&rig, COFFEE, "10");
    fanout_turn(rig.f, rig.mono_ns);
    assert_int_equal(r.client->path, CLIENT_BEHIND);
    for (int i = 0; i < 5; i++) {
        rig_pass_ms(&rig, 10);
        price(&rig, i % 2 ? COFFEE : EURGBP, i % 2 ? "11" : "31");
        fanout_turn(rig.f, rig.mono_ns);
    }
    price(&rig, EURUSD, "21"); /* pending: nothing newer may overtake it */
    expect(&r, COFFEE_AT("4", "10"));
    reader_drain(&r, READER_ROOMY);
    expect(&r, COFFEE_AT("8", "11") EURGBP_AT("9", "31"));
    rig_pass_ms(&rig, 10);
    fanout_turn(rig.f, rig.mono_ns);
    expect(&r, EURUSD_AT("10", "21"));
    assert_int_equal(r.client->path, CLIENT_SHARED);
    rig_pass_ms(&rig, 10);
    price(&rig, COFFEE, "12");
    fanout_turn(rig.f, rig.mono_ns);
    expect(&r, COFFEE_AT("11", "12"));
    reader_close_all(&r);
    rig_fini(&rig);
}

/* A status gets its number when it is written; the item that waits for its flush has a lower one
 * and must have gone before. */
static void a_status_does_not_overtake_a_pending_item(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, AAPL, -1};
    struct rig rig;
    struct reader r;
    begin(&rig);
    price(&rig, COFFEE, "1");
    reader_open(&r, &rig, ids, NULL);
    buf_clear(&r.text);
    rig_pass_ms(&rig, 20);
    price(&rig, COFFEE, "2");
    fanout_turn(rig.f, rig.mono_ns);
    r.room = 0;
    rig_pass_ms(&rig, 20);
    rig_status(&rig, AAPL, "{\"symbol\":\"AAPL\",\"state\":\"unavailable\",\"reason\":\"dns\"}");
    fanout_turn(rig.f, rig.mono_ns);
    assert_int_equal(r.client->path, CLIENT_BEHIND);
    price(&rig, COFFEE, "3");
    buf_clear(&r.text);
    reader_drain(&r, READER_ROOMY);
    expect(&r, "");
    rig_pass_ms(&rig, 20);
    fanout_turn(rig.f, rig.mono_ns);
    char *got = reader_lines(&r);
    const char *quote = strstr(got, "quote 5"), *status = strstr(got, "status 6");
    assert_non_null(quote);
    assert_true(status && quote < status);
    free(got);
    reader_close_all(&r);
    rig_fini(&rig);
}

static void a_large_snapshot_goes_in_pieces_and_in_order(void **state)
{
    (void)state;
    static char names[600][8];
    static const char *symbols[600];
    static int ids[601];
    struct rig rig;
    struct reader r;
    uint64_t last = 0;
    int seen = 0;
    for (int i = 0; i < 600; i++) {
        snprintf(names[i], sizeof names[i], "S%d", i);
        symbols[i] = names[i];
        ids[i] = i;
    }
    ids[600] = -1;
    rig_prepare(&rig, symbols, 600);
    rig_start(&rig);
    fanout_started(rig.f, RIG_START_MS);
    for (int i = 0; i < 600; i++)
        rig_quote(&rig, (i * 7) % 600, "1.5");
    reader_open(&r, &rig, ids, NULL);
    assert_true(r.writes > 1);
    buf_addc(&r.text, '\0');
    for (const char *p = r.text.p; (p = strstr(p, "id: ")); p++) {
        unsigned long long start, n;
        assert_int_equal(sscanf(p, "id: %llx:%llu", &start, &n), 2);
        assert_true(n > last);
        last = n;
        seen++;
    }
    assert_int_equal(seen, 600);
    reader_close_all(&r);
    rig_fini(&rig);
}

static void a_quiet_reader_hears_comments_and_stays(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, -1};
    struct rig rig;
    struct reader r;
    begin(&rig);
    reader_open(&r, &rig, ids, NULL);
    buf_clear(&r.text);
    rig_tick_ms(&rig, 120000);
    char *got = reader_lines(&r);
    int comments = 0;
    for (const char *p = got; (p = strstr(p, "comment\n")); p++)
        comments++;
    assert_in_range(comments, 5, 6);
    free(got);
    assert_false(r.closed);
    reader_close_all(&r);
    rig_fini(&rig);
}

static void a_reader_that_takes_nothing_is_dropped(void **state)
{
    (void)state;
    static const int ids[] = {COFFEE, -1};
    struct rig rig;
    struct reader r;
    begin(&rig);
    reader_open(&r, &rig, ids, NULL);
    r.room = 0;
    price(&rig, COFFEE, "1");
    rig_tick_ms(&rig, 29000);
    assert_false(r.closed);
    rig_tick_ms(&rig, 4000);
    assert_true(r.closed);
    assert_int_equal(r.reason, CLOSE_SLOW);
    reader_close_all(&r);
    rig_fini(&rig);
}

static void a_goaway_is_how_long_to_wait(void **state)
{
    (void)state;
    static const int ids[] = {-1};
    struct rig rig;
    struct reader r;
    begin(&rig);
    reader_open(&r, &rig, ids, NULL);
    fanout_goaway(rig.f, "shutdown", 0);
    expect(&r, "retry: 500\n");
    assert_int_equal(rig.metrics.connections, 1);
    reader_close_all(&r);
    assert_int_equal(rig.metrics.connections, 0);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_then_updates_in_the_order_of_revisions),
        cmocka_unit_test(an_id_of_ours_brings_only_what_is_newer),
        cmocka_unit_test(a_state_that_no_item_tells_comes_again),
        cmocka_unit_test(line_breaks_between_members_are_data_lines),
        cmocka_unit_test(events_and_frames_of_one_set_are_two_views),
        cmocka_unit_test(observations_are_events_of_their_own),
        cmocka_unit_test(a_slow_reader_gets_the_newest_in_order),
        cmocka_unit_test(a_status_does_not_overtake_a_pending_item),
        cmocka_unit_test(a_large_snapshot_goes_in_pieces_and_in_order),
        cmocka_unit_test(a_quiet_reader_hears_comments_and_stays),
        cmocka_unit_test(a_reader_that_takes_nothing_is_dropped),
        cmocka_unit_test(a_goaway_is_how_long_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
