#include "item.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const double MEMBER_MAX = 1e15; /* of delayed_s and the like: beyond sense, below overflow */

/* "<hex>:<decimal>", both without sign and within 64 bits; anything else is no seq. */
bool item_seq_parse(const char *s, uint64_t *epoch_ms, uint64_t *counter)
{
    size_t hex = s ? strspn(s, "0123456789abcdef") : 0;
    if (hex == 0 || s[hex] != ':')
        return false;
    const char *number = s + hex + 1;
    size_t digits = strspn(number, "0123456789");
    if (digits == 0 || number[digits] != '\0')
        return false;
    errno = 0;
    *epoch_ms = strtoull(s, NULL, 16);
    *counter = strtoull(number, NULL, 10);
    return errno == 0;
}

/* Copies s, cut in front of a character that does not fit whole. */
static void copy_cut(char *to, size_t size, const char *s)
{
    size_t len = strnlen(s, size);
    if (len == size) {
        len--;
        while (len > 0 && ((unsigned char)s[len] & 0xC0) == 0x80)
            len--;
    }
    memcpy(to, s, len);
    to[len] = '\0';
}

static const struct jsonx_member *find_member(const struct item *it, const char *name)
{
    for (int i = 0; i < it->members_len; i++)
        if (jsonx_member_is(&it->members[i], name))
            return &it->members[i];
    return NULL;
}

/* An optional time in ms: absent leaves *out alone. */
static int read_time(const json_t *root, const char *name, int64_t now_ms, int64_t *out,
                     struct err *err)
{
    const json_t *v = json_object_get(root, name);
    if (!v)
        return 0;
    double x = json_number_value(v);
    if (!json_is_number(v))
        return err_set(err, "%s is not a time in ms since the epoch", name);
    if (x > (double)(now_ms + ITEM_AHEAD_MAX_MS))
        return err_set(err, "%s lies more than 5 s in the future", name);
    *out = x > 0 ? (int64_t)x : 0; /* exact: a time in ms has far less than 53 bits */
    return 0;
}

static int read_price(struct item *it, const json_t *root, struct err *err)
{
    const json_t *v = json_object_get(root, "price");
    const struct jsonx_member *m = find_member(it, "price");
    if (!json_is_number(v) || !isfinite(json_number_value(v)) || json_number_value(v) <= 0)
        return err_set(err, "price is not a number > 0");
    /* The text keeps the digits; where it has more than a decimal holds, the double must do. */
    if (!m || decimal_parse(m->value, m->value_len, &it->price) != 0)
        if (decimal_from_double(json_number_value(v), &it->price) != 0)
            return err_set(err, "price has more digits than can be held");
    return decimal_positive(it->price) ? 0 : err_set(err, "price is not a number > 0");
}

/* An object with nothing but finite numbers. */
static bool all_numbers(json_t *values)
{
    const char *name;
    json_t *v;
    json_object_foreach(values, name, v)
    {
        if (!json_is_number(v) || !isfinite(json_number_value(v)))
            return false;
    }
    return json_is_object(values);
}

static int check_observed(const json_t *root, struct err *err)
{
    const json_t *value = json_object_get(root, "value");
    json_t *values = json_object_get(root, "values");
    const char *text = jsonx_string(root, "text");
    if (value && (!json_is_number(value) || !isfinite(json_number_value(value))))
        return err_set(err, "value is not a finite number");
    if (values && !all_numbers(values))
        return err_set(err, "values is not an object of finite numbers");
    if (!value && json_object_size(values) == 0 && !(text && *text))
        return err_set(err, "there is no value, no values and no text");
    return 0;
}

static int check_symbol(const json_t *root, const char *symbol, struct err *err)
{
    const json_t *s = json_object_get(root, "symbol");
    if (json_string_length(s) != strlen(symbol) || strcmp(json_string_value(s), symbol) != 0)
        return err_set(err, "symbol is not the channel's, %s", symbol);
    return 0;
}

static int64_t positive_integer(const json_t *root, const char *name)
{
    const json_t *v = json_object_get(root, name);
    double x = json_number_value(v); /* 0 when it is no number */
    return x > 0 && x < MEMBER_MAX && x == floor(x) ? (int64_t)x : 0;
}

static int read_fields(struct item *it, const json_t *root, int64_t now_ms, struct err *err)
{
    it->ts_ms = it->recv_ms = now_ms;
    it->says_ts = json_object_get(root, "ts") != NULL;
    it->says_recv = json_object_get(root, "recv") != NULL;
    if (read_time(root, "ts", now_ms, &it->ts_ms, err) != 0)
        return -1;
    /* recv may be missing or odd in other programs' items: it decides age only, so a value
     * from the future counts as now. */
    if (read_time(root, "recv", now_ms, &it->recv_ms, NULL) != 0 || it->recv_ms > now_ms)
        it->recv_ms = now_ms;

    it->has_seq = item_seq_parse(jsonx_string(root, "seq"), &it->epoch_ms, &it->counter);
    const char *state = jsonx_string(root, "state"), *market = jsonx_string(root, "market");
    it->state = state ? quote_state_parse(state, strlen(state)) : -1;
    int m = market ? quote_market_parse(market, strlen(market)) : -1;
    it->market = m < 0 ? MARKET_UNKNOWN : (enum quote_market)m;
    it->delayed_s = positive_integer(root, "delayed_s");
    it->stale_after_ms = positive_integer(root, "stale_after_ms");
    const char *source = jsonx_string(root, "source");
    copy_cut(it->source, sizeof it->source, source ? source : "");
    return 0;
}

/* Copies bytes and their member table into one allocation. */
static struct item *copy_bytes(const char *bytes, size_t len, const struct jsonx_member *members,
                               int n)
{
    size_t table = (size_t)n * sizeof *members;
    struct item *it = calloc(1, sizeof *it + table + len);
    if (!it)
        return NULL;
    char *copy = (char *)it->members + table;
    memcpy(copy, bytes, len);
    *it = (struct item){.refs = 1, .len = len, .bytes = copy, .members_len = n};
    for (int i = 0; i < n; i++)
        it->members[i] = (struct jsonx_member){
            .name = copy + (members[i].name - bytes),
            .name_len = members[i].name_len,
            .value = copy + (members[i].value - bytes),
            .value_len = members[i].value_len,
        };
    return it;
}

struct item *item_parse(const char *bytes, size_t len, enum instrument_kind kind,
                        const char *symbol, int64_t now_ms, struct err *err)
{
    struct jsonx_member members[ITEM_MEMBERS_MAX];
    struct item *it = NULL, *result = NULL;
    json_t *root = jsonx_parse_loose(bytes, len, ITEM_BYTES_MAX, err);

    if (!root)
        return NULL;
    int n = json_is_object(root) ? jsonx_members(bytes, len, members, ITEM_MEMBERS_MAX) : -1;
    if (n < 0) {
        err_set(err, "not an object of at most %d members", ITEM_MEMBERS_MAX);
        goto out;
    }
    it = copy_bytes(bytes, len, members, n);
    if (!it) {
        err_set(err, "out of memory");
        goto out;
    }
    if (check_symbol(root, symbol, err) != 0 ||
        (kind == INSTRUMENT_QUOTE ? read_price(it, root, err) : check_observed(root, err)) != 0 ||
        read_fields(it, root, now_ms, err) != 0)
        goto out;
    if (kind == INSTRUMENT_OBSERVATION)
        it->market = MARKET_UNKNOWN; /* or it would be "closed" at night */
    snprintf(it->symbol, sizeof it->symbol, "%s", symbol);
    result = it;
    it = NULL;
out:
    item_unref(it);
    json_decref(root);
    return result;
}

struct item *item_ref(struct item *it)
{
    it->refs++;
    return it;
}

void item_unref(struct item *it)
{
    if (it && --it->refs == 0)
        free(it);
}

bool item_same_seq(const struct item *a, const struct item *b)
{
    return a->has_seq && b->has_seq && item_seq_cmp(a, b) == 0;
}

int item_seq_cmp(const struct item *a, const struct item *b)
{
    if (a->epoch_ms != b->epoch_ms)
        return a->epoch_ms < b->epoch_ms ? -1 : 1;
    return (a->counter > b->counter) - (a->counter < b->counter);
}

bool item_replaces(const struct item *next, const struct item *held)
{
    return !held || next->ts_ms >= held->ts_ms;
}

void item_render(const struct item *it, enum quote_state state, struct buf *out)
{
    const struct jsonx_member *m = find_member(it, "state");
    const char *name = quote_state_name(state), *end = it->bytes + it->len;
    if (m) {
        buf_add(out, it->bytes, (size_t)(m->value - it->bytes));
        buf_addf(out, "\"%s\"", name);
        const char *rest = m->value + m->value_len;
        buf_add(out, rest, (size_t)(end - rest));
        return;
    }
    while (end > it->bytes && end[-1] != '}')
        end--;
    buf_add(out, it->bytes, (size_t)(end - 1 - it->bytes));
    buf_addf(out, ",\"state\":\"%s\"}", name);
}

/* One member as it is, or as the delay makes it. */
static void add_delayed_member(struct buf *out, const struct jsonx_member *m)
{
    if (out->len > 1)
        buf_addc(out, ',');
    buf_addf(out, "\"%.*s\":", (int)m->name_len, m->name);
    if (jsonx_member_is(m, "state") && m->value_len == 6 && memcmp(m->value, "\"live\"", 6) == 0)
        buf_adds(out, "\"delayed\"");
    else
        buf_add(out, m->value, m->value_len);
}

struct item *item_delayed(const struct item *it, enum instrument_kind kind, int64_t delay_s,
                          int64_t now_ms, struct err *err)
{
    struct buf text = {0};
    struct item *late = NULL;
    buf_addc(&text, '{');
    for (int i = 0; i < it->members_len; i++)
        if (!jsonx_member_is(&it->members[i], "delayed_s"))
            add_delayed_member(&text, &it->members[i]);
    buf_addf(&text, ",\"delayed_s\":%" PRId64 "}", it->delayed_s + delay_s);
    if (text.failed)
        err_set(err, "out of memory");
    else
        late = item_parse(text.p, text.len, kind, it->symbol, now_ms, err);
    if (late && !it->says_ts)
        late->ts_ms = it->ts_ms; /* it counted as what it was when it came */
    if (late && !it->says_recv)
        late->recv_ms = it->recv_ms;
    buf_fini(&text);
    return late;
}
