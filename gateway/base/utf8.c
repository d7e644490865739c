#include "utf8.h"

#include "attrs.h"

size_t utf8_len(const char *text, size_t left)
{
    static const struct {
        unsigned char lo, hi, second_lo, second_hi;
        size_t len;
    } rows[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2},
        {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4},
        {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (s[0] < rows[i].lo || s[0] > rows[i].hi)
            continue;
        if (left < rows[i].len || s[1] < rows[i].second_lo || s[1] > rows[i].second_hi)
            return 0;
        for (size_t k = 2; k < rows[i].len; k++)
            if (s[k] < 0x80 || s[k] > 0xBF)
                return 0;
        return rows[i].len;
    }
    return 0;
}

bool utf8_valid(const char *s, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        n = utf8_len(s + i, len - i);
        if (n == 0)
            return false;
    }
    return true;
}
