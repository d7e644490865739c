#include "symbol.h"

#include <string.h>

static bool first_ok(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '^';
}

static bool chars_ok(const char *s, size_t len)
{
    if (len == 0 || len > SYMBOL_MAX || !first_ok(s[0]))
        return false;
    for (size_t i = 1; i < len; i++)
        if (!first_ok(s[i]) && (s[i] == '\0' || !strchr("._=!:/-", s[i])))
            return false;
    return true;
}

static bool segment_ok(const char *s, size_t len)
{
    return !(len == 0 || (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.'));
}

bool symbol_valid(const char *s, size_t len)
{
    if (!chars_ok(s, len))
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && s[i] != '/')
            continue;
        if (!segment_ok(s + start, i - start))
            return false;
        start = i + 1;
    }
    return true;
}

bool symbol_is_pattern(const char *s, size_t len)
{
    if (len == 0 || s[len - 1] != '*')
        return false;
    return len == 1 || chars_ok(s, len - 1);
}

bool symbol_matches(const char *pattern, size_t pattern_len, const char *symbol)
{
    return strncmp(pattern, symbol, pattern_len - 1) == 0;
}
