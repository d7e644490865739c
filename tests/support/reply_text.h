/* reply_text.h - a provider's reply and what was asked for, as one text: what the fuzzers of
 * parsers read and the tests of parsers write as their seeds.
 *
 *     200 -1 -1 1741705265000         status, Retry-After, credits left (-1 = no such header), now
 *     AAPL,EUR/USD                    the symbols; with ; between them where one holds a comma
 *     https://consent.example/        Location; empty = none
 *     {"symbol":"AAPL",...            the body, to the end */
#ifndef PRICEGATE_TEST_REPLY_TEXT_H
#define PRICEGATE_TEST_REPLY_TEXT_H

#include "provider.h"

enum { REPLY_TEXT_SYMBOLS_MAX = 8 };

struct reply_text {
    struct http_reply reply; /* the body in memory of its exact size, a NUL behind it */
    int64_t now_ms;
    const char *symbols[REPLY_TEXT_SYMBOLS_MAX];
    size_t symbols_len;
    char *head, *body; /* owned */
};

/* False: it is no such text (nothing to be freed). Numbers are brought into the ranges that a
 * transport gives. reply_text_fini() afterwards. */
bool reply_text_read(const char *text, size_t len, struct reply_text *out) MUST_CHECK;
void reply_text_fini(struct reply_text *t);
/* How many bytes stand in front of the body; len when there is no body. */
size_t reply_text_head(const char *text, size_t len);

void reply_text_write(const struct http_reply *reply, const char *symbols, int64_t now_ms,
                      struct buf *out);

#endif
