#include "decimal.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const int EXPONENT_MAX = 100; /* far beyond any price; keeps the loops short */

static bool coef_fits(decimal_coef c)
{
    static const decimal_coef limit = (decimal_coef)1000000000000000000 * 1000000000000000000;
    return c < limit && c > -limit; /* 10^DECIMAL_DIGITS_MAX */
}

/* Multiplies by 10^n if the result fits. */
static int coef_scale_up(decimal_coef *c, int n)
{
    for (; n > 0 && *c != 0; n--) {
        if (!coef_fits(*c * 10))
            return -1;
        *c *= 10;
    }
    return 0;
}

/* Reads the exponent at text[i..len), i just behind the 'e'. */
static int parse_exponent(const char *text, size_t i, size_t len, int *out)
{
    bool negative = false;
    if (i < len && (text[i] == '-' || text[i] == '+'))
        negative = text[i++] == '-';
    if (i == len)
        return -1;
    int n = 0;
    for (; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        n = n * 10 + (text[i] - '0');
        if (n > EXPONENT_MAX)
            return -1;
    }
    *out = negative ? -n : n;
    return 0;
}

static int apply_exponent(struct decimal *d, int exponent)
{
    if (exponent < 0) {
        d->scale -= exponent;
    } else {
        int eaten = exponent < d->scale ? exponent : d->scale;
        d->scale -= eaten;
        if (coef_scale_up(&d->coef, exponent - eaten) != 0)
            return -1;
    }
    return d->scale <= DECIMAL_SCALE_MAX ? 0 : -1;
}

int decimal_parse(const char *text, size_t len, struct decimal *out)
{
    struct decimal d = {0};
    bool negative = false, point = false;
    size_t i = 0, digits = 0;
    int exponent = 0;

    *out = d;
    if (i < len && (text[i] == '-' || text[i] == '+'))
        negative = text[i++] == '-';
    for (; i < len; i++) {
        char c = text[i];
        if (c == '.' && !point && digits > 0) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        digits++;
        d.coef = d.coef * 10 + (c - '0');
        d.scale += point;
        if (!coef_fits(d.coef) || d.scale > DECIMAL_SCALE_MAX)
            return -1;
    }
    if (digits == 0 || text[i - 1] == '.')
        return -1;
    if (i < len) {
        if ((text[i] != 'e' && text[i] != 'E') || parse_exponent(text, i + 1, len, &exponent) != 0)
            return -1;
        if (apply_exponent(&d, exponent) != 0)
            return -1;
    }
    if (negative)
        d.coef = -d.coef;
    d.given = true;
    *out = d;
    return 0;
}

static bool reads_back(const char *text, double x, bool narrow)
{
    return narrow ? strtof(text, NULL) == (float)x : strtod(text, NULL) == x;
}

/* Adds one to the last digit of "d.ddde-05"; false when all digits are nines. */
static bool bump_last_digit(char *text)
{
    char *p = text + strcspn(text, "e");
    while (p-- > text) {
        if (*p >= '0' && *p < '9') {
            ++*p;
            return true;
        }
        if (*p == '9')
            *p = '0';
    }
    return false;
}

/* Writes the shortest text, in "%e" form, that reads back to x (narrow: to the float of x) and
 * returns the number of its digits. Rounding x to n digits finds it, with one exception: below a
 * power of two the numbers stand twice as close as above it, so that the nearest text of n digits
 * may read back wrong while the next one above reads back right. */
static int shortest_text(double x, bool narrow, char *text, size_t size)
{
    int exponent, digits = 1;
    bool uneven = fabs(frexp(x, &exponent)) == 0.5;
    for (; digits < 17; digits++) {
        snprintf(text, size, "%.*e", digits - 1, x);
        if (reads_back(text, x, narrow))
            return digits;
        if (uneven && bump_last_digit(text) && reads_back(text, x, narrow))
            return digits;
    }
    snprintf(text, size, "%.16e", x);
    return digits;
}

int decimal_from_double(double x, struct decimal *out)
{
    char text[64];

    *out = (struct decimal){0};
    if (!isfinite(x) || fabs(x) >= 1e36) /* 10^DECIMAL_DIGITS_MAX; within a float's range, too */
        return -1;
    if (shortest_text(x, false, text, sizeof text) > 9 && (double)(float)x == x)
        shortest_text(x, true, text, sizeof text);
    int rc = decimal_parse(text, strlen(text), out);
    out->shortest = rc == 0;
    return rc;
}

struct decimal decimal_from_int(int64_t n)
{
    return (struct decimal){.coef = n, .given = true, .shortest = true};
}

/* The decimal digits of c, the last one first; at least min of them. */
static size_t digits_backwards(decimal_coef c, size_t min, char *out)
{
    size_t n = 0;
    for (; c > UINT64_MAX; c /= 10) /* hardly any price */
        out[n++] = (char)('0' + (int)(c % 10));
    for (uint64_t small = (uint64_t)c; small > 0; small /= 10)
        out[n++] = (char)('0' + small % 10);
    while (n < min)
        out[n++] = '0';
    return n;
}

size_t decimal_format(struct decimal d, char out[static DECIMAL_TEXT_MAX])
{
    char digits[DECIMAL_TEXT_MAX] = "";
    size_t scale = (size_t)d.scale, len = 0;

    REQUIRE(d.given);
    size_t n = digits_backwards(d.coef < 0 ? -d.coef : d.coef, scale + 1, digits);
    if (d.coef < 0)
        out[len++] = '-';
    while (n > scale)
        out[len++] = digits[--n];
    if (scale > 0)
        out[len++] = '.';
    while (n > 0)
        out[len++] = digits[--n];
    out[len] = '\0';
    return len;
}

/* Brings both to the larger scale. */
static int align(struct decimal *a, struct decimal *b)
{
    struct decimal *low = a->scale < b->scale ? a : b;
    int scale = a->scale < b->scale ? b->scale : a->scale;
    if (coef_scale_up(&low->coef, scale - low->scale) != 0)
        return -1;
    low->scale = scale;
    return 0;
}

int decimal_sub(struct decimal a, struct decimal b, struct decimal *out)
{
    *out = (struct decimal){0};
    if (!a.given || !b.given || align(&a, &b) != 0 || !coef_fits(a.coef - b.coef))
        return -1;
    *out = (struct decimal){.coef = a.coef - b.coef, .scale = a.scale, .given = true};
    return 0;
}

int decimal_shift_down(struct decimal d, int places, struct decimal *out)
{
    *out = (struct decimal){0};
    if (!d.given || d.scale + places > DECIMAL_SCALE_MAX)
        return -1;
    d.scale += places;
    for (; d.shortest && d.scale > 0 && d.coef % 10 == 0; d.scale--)
        d.coef /= 10;
    *out = d;
    return 0;
}

int decimal_percent(struct decimal part, struct decimal whole, struct decimal *out)
{
    *out = (struct decimal){0};
    if (!part.given || !whole.given || whole.coef == 0 || align(&part, &whole) != 0)
        return -1;
    /* 100 % and three places: the quotient is wanted in units of 10^-5. */
    if (coef_scale_up(&part.coef, 5) != 0)
        return -1;
    decimal_coef q = part.coef / whole.coef, r = part.coef % whole.coef;
    decimal_coef r2 = r < 0 ? -2 * r : 2 * r, w = whole.coef < 0 ? -whole.coef : whole.coef;
    if (r2 >= w)
        q += (part.coef < 0) == (whole.coef < 0) ? 1 : -1;
    struct decimal d = {.coef = q, .scale = 3, .given = true};
    while (d.scale > 0 && d.coef % 10 == 0) {
        d.coef /= 10;
        d.scale--;
    }
    *out = d;
    return 0;
}

int decimal_digits(struct decimal d)
{
    int n = 1;
    for (decimal_coef c = d.coef < 0 ? -d.coef : d.coef; c >= 10; c /= 10)
        n++;
    return n;
}

static decimal_coef power_of_ten(int n)
{
    decimal_coef p = 1;
    while (n-- > 0)
        p *= 10;
    return p;
}

/* Cuts the last n digits off a number above 0, rounding half up. */
static void cut_digits(struct decimal *d, int n)
{
    decimal_coef unit = power_of_ten(n);
    d->coef = (d->coef + unit / 2) / unit;
    d->scale -= n;
}

/* Long division: the integer part, then one digit after the other until there is one more than is
 * wanted. The remainder is smaller than b, so ten times it fits. What lies below that digit cannot
 * change the rounding: it only ever makes a half more than a half. */
int decimal_div(struct decimal a, struct decimal b, int digits, struct decimal *out)
{
    *out = (struct decimal){0};
    REQUIRE(digits >= 1 && digits <= 18);
    if (!a.given || !b.given || b.coef == 0)
        return -1;
    if (a.coef == 0) {
        *out = decimal_from_int(0);
        return 0;
    }
    bool negative = (a.coef < 0) != (b.coef < 0);
    decimal_coef x = a.coef < 0 ? -a.coef : a.coef, y = b.coef < 0 ? -b.coef : b.coef;
    struct decimal q = {.coef = x / y, .scale = a.scale - b.scale, .given = true};
    decimal_coef rest = x % y;
    while ((decimal_digits(q) <= digits || q.scale < 0) && q.scale < DECIMAL_SCALE_MAX) {
        if (!coef_fits(q.coef * 10))
            return -1;
        q.coef = q.coef * 10 + rest * 10 / y;
        rest = rest * 10 % y;
        q.scale++;
    }
    int more = decimal_digits(q) - digits;
    if (more > q.scale)
        more = q.scale; /* digits before the point are not cut */
    if (more > 0)
        cut_digits(&q, more);
    if (decimal_digits(q) > digits && q.scale > 0)
        cut_digits(&q, 1); /* 9.996 has become 10.00 */
    if (negative)
        q.coef = -q.coef;
    *out = q;
    return 0;
}

int decimal_cmp(struct decimal a, struct decimal b)
{
    struct decimal x = a, y = b;
    if (align(&x, &y) == 0)
        return (x.coef > y.coef) - (x.coef < y.coef);
    /* Brought to the other's scale, the one with fewer places has more digits than any decimal:
     * its size decides. */
    if (a.scale < b.scale)
        return a.coef > 0 ? 1 : -1;
    return b.coef > 0 ? -1 : 1;
}

bool decimal_positive(struct decimal d)
{
    return d.given && d.coef > 0;
}

double decimal_to_double(struct decimal d)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(d, text);
    return strtod(text, NULL);
}
