#include "words.h"

#include <stdint.h>
#include <string.h>

#include "attrs.h"
#include "utf8.h"

static const char ELLIPSIS[] = "\xe2\x80\xa6";

/* Characters that nobody sees or that change how others are seen. */
static const struct {
    uint32_t from, to;
} unseen[] = {
    {0x7F,    0x9F   }, /* DEL, C1 controls */
    {0xAD,    0xAD   }, /* soft hyphen */
    {0x61C,   0x61C  }, /* a direction mark */
    {0x200B,  0x200F }, /* zero width, direction marks */
    {0x2028,  0x202E }, /* line and paragraph ends, embeddings and overrides */
    {0x2060,  0x206F }, /* isolates and other invisible ones */
    {0xFEFF,  0xFEFF }, /* byte order mark */
    {0xFFF9,  0xFFFB }, /* annotations */
    {0xE0000, 0xE0FFF}, /* tags */
};

/* The character of the n bytes at p. */
static uint32_t character(const char *p, size_t n)
{
    static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = (unsigned char)p[0] & first_bits[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3F);
    return c;
}

static bool is_unseen(uint32_t c)
{
    for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
        if (c >= unseen[i].from && c <= unseen[i].to)
            return true;
    return false;
}

/* Takes back characters until the ellipsis has room. */
static void end_early(char *out, size_t size, size_t n)
{
    while (n > 0 && n + sizeof ELLIPSIS > size) {
        n--;
        while (n > 0 && ((unsigned char)out[n] & 0xC0) == 0x80)
            n--;
    }
    memcpy(out + n, ELLIPSIS, sizeof ELLIPSIS);
}

bool words_copy(char *out, size_t size, const char *text, size_t len)
{
    size_t n = 0;
    bool space = false; /* one is owed, if anything follows */
    REQUIRE(size >= sizeof ELLIPSIS);
    for (size_t i = 0, bytes; i < len; i += bytes) {
        size_t valid = utf8_len(text + i, len - i);
        bytes = valid ? valid : 1;
        uint32_t c = valid ? character(text + i, valid) : 0;
        if (c <= 0x20 && valid) {
            space = n > 0;
            continue;
        }
        if (!valid || is_unseen(c))
            continue;
        if (n + space + bytes >= size) {
            end_early(out, size, n);
            return false;
        }
        if (space)
            out[n++] = ' ';
        space = false;
        memcpy(out + n, text + i, bytes);
        n += bytes;
    }
    out[n] = '\0';
    return true;
}

bool words_is_link(const char *url)
{
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    if (scheme == 0 || url[scheme] == '\0')
        return false;
    for (const char *p = url; *p; p++)
        if (*p <= 0x20 || *p >= 0x7F || strchr("\"'<>\\`", *p))
            return false;
    return true;
}
