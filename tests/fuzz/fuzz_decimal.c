/* Decimals: text in, the same text out (but for how it was written), arithmetic within its ranges,
 * and doubles that read back to themselves. The first eight bytes are also taken for a double. */
#include <math.h>

#include "fuzz.h"

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

static void check_one(struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];
    struct decimal again;
    CHECK(d.given && d.scale >= 0 && d.scale <= DECIMAL_SCALE_MAX);
    CHECK(decimal_digits(d) >= 1 && decimal_digits(d) <= DECIMAL_DIGITS_MAX);
    size_t len = decimal_format(d, text);
    CHECK(len == strlen(text) && len < sizeof text && text[strspn(text, "-.0123456789")] == '\0');
    CHECK(decimal_parse(text, len, &again) == 0 && fuzz_same(d, again));
    CHECK(decimal_cmp(d, again) == 0 && decimal_positive(d) == (d.coef > 0));
}

static void check_two(struct decimal a, struct decimal b)
{
    struct decimal c, back;
    CHECK(decimal_cmp(a, b) == -decimal_cmp(b, a));
    if (decimal_sub(a, b, &c) == 0) {
        check_one(c);
        CHECK((decimal_cmp(a, b) > 0) == decimal_positive(c));
        if (decimal_sub(a, c, &back) == 0)
            CHECK(decimal_cmp(back, b) == 0);
    }
    if (decimal_div(a, b, 9, &c) == 0) {
        check_one(c);
        CHECK(b.coef != 0 && (decimal_digits(c) <= 9 || c.scale == 0));
    }
    if (decimal_percent(a, b, &c) == 0)
        check_one(c);
    if (decimal_shift_down(a, 2, &c) == 0)
        check_one(c);
}

static void check_double(double x)
{
    struct decimal d;
    if (decimal_from_double(x, &d) != 0)
        return;
    check_one(d);
    CHECK(isfinite(x));
    double back = decimal_to_double(d);
    CHECK(back == x || (double)(float)x == x); /* a widened float32 is written as one */
    CHECK((float)back == (float)x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct decimal hundred = decimal_from_int(100);
    size_t half = size / 2;
    struct decimal a, b;
    double x;
    char *left = fuzz_bytes(data, half), *right = fuzz_bytes(data + half, size - half);
    char *whole = fuzz_bytes(data, size);
    if (decimal_parse(whole, size, &a) == 0) {
        check_one(a);
        check_two(a, hundred);
        check_two(hundred, a);
    } else {
        CHECK(!a.given);
    }
    if (decimal_parse(left, half, &a) == 0 && decimal_parse(right, size - half, &b) == 0)
        check_two(a, b);
    if (size >= sizeof x) {
        memcpy(&x, data, sizeof x);
        check_double(x);
        check_double((double)(float)x);
    }
    free(left);
    free(right);
    free(whole);
    return 0;
}
