/* decimal.h - prices as exact decimals that remember how many digits they were given.
 *
 * A decimal is coef / 10^scale. The scale is part of the value: 150.10 is coef 15010, scale 2,
 * and prints as 150.10. Not a general arithmetic library: what prices need and no more.
 * Pure; no locale, no rounding except where a function says so.
 *
 * The digit rule is PROTOCOL 3: text keeps its digits, trailing zeros too; a JSON number is written
 * as the shortest decimal that reads back to the same double, or, when that takes more than 9
 * digits and the double is a widened float32, to the same float32. Never an exponent. */
#ifndef PRICEGATE_DECIMAL_H
#define PRICEGATE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"

__extension__ typedef __int128 decimal_coef;

struct decimal {
    decimal_coef coef; /* |coef| < 10^36 */
    int scale;         /* digits behind the point, 0..DECIMAL_SCALE_MAX */
    bool given;        /* false: no number here (an optional member that nobody sent) */
    bool shortest;     /* came as a JSON number: shifting it brings no zeros either */
};

#define DECIMAL_DIGITS_MAX 36 /* significant digits */
#define DECIMAL_SCALE_MAX  36
#define DECIMAL_TEXT_MAX   80 /* bytes of the longest text, NUL included */

/* Reads all of text[0..len): optional sign, digits, optional fraction, optional exponent
 * ("1.5", "-0.02", "5.9e-8"). No spaces, no hex, no "nan". Returns -1 for anything else, and for
 * more digits than fit; *out is then not given. */
int decimal_parse(const char *text, size_t len, struct decimal *out) MUST_CHECK;

/* By the digit rule for JSON numbers; -1 when x is not finite or does not fit. */
int decimal_from_double(double x, struct decimal *out) MUST_CHECK;
struct decimal decimal_from_int(int64_t n);

/* Writes the text and returns its length; d must be given. */
size_t decimal_format(struct decimal d, char out[static DECIMAL_TEXT_MAX]);

/* a - b exactly, scale = the larger one. -1 when it does not fit. */
int decimal_sub(struct decimal a, struct decimal b, struct decimal *out) MUST_CHECK;
/* d / 10^places exactly (USX -> USD: 2): 290 as text becomes 2.90, as a JSON number 2.9. -1 when it
 * does not fit. */
int decimal_shift_down(struct decimal d, int places, struct decimal *out) MUST_CHECK;
/* 100 * part / whole rounded half away from zero to 3 places, trailing zeros dropped.
 * -1 when whole is zero or it does not fit. */
int decimal_percent(struct decimal part, struct decimal whole, struct decimal *out) MUST_CHECK;

/* a / b, rounded half away from zero to this many significant digits (1..18), trailing zeros kept;
 * fewer when there is no room behind the point. Rates that follow from others: an inverse, a cross.
 * -1 when b is zero or it does not fit. */
int decimal_div(struct decimal a, struct decimal b, int digits, struct decimal *out) MUST_CHECK;
int decimal_digits(struct decimal d); /* significant ones: 0.0150 has 3; of zero 1 */

int decimal_cmp(struct decimal a, struct decimal b); /* by value: 1.0 equals 1.00 */
bool decimal_positive(struct decimal d);             /* given and > 0 */
double decimal_to_double(struct decimal d); /* nearest double; for plausibility, not for output */

#endif
