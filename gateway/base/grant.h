/* grant.h - what one caller may do, as its token says: role, which symbols, until when.
 *
 * A plain value; the list of symbols is shared by reference count. An empty grant (all zero) is
 * that of nobody. Loop thread only. */
#ifndef PRICEGATE_GRANT_H
#define PRICEGATE_GRANT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "role.h"

#define GRANT_SUBJECT_MAX 64 /* bytes */
#define GRANT_SYMBOLS_MAX 1000

struct grant_symbols;

/* What it rests on. */
enum grant_by {
    GRANT_BY_NOTHING, /* the anonymous role, or none */
    GRANT_BY_BEING_LOCAL,
    GRANT_BY_KEY,
    GRANT_BY_TOKEN, /* a signed one */
    GRANT_ENDED,    /* what it rested on is gone: nobody's, until another token is shown */
};

struct grant {
    enum role role;
    enum grant_by by;
    uint64_t tag;                        /* of the key, or of what signs tokens; 0 = none */
    int64_t expires_ms;                  /* wall time; 0 = never */
    int64_t delay_s;                     /* how late it gets prices; 0 = at once */
    char subject[GRANT_SUBJECT_MAX + 1]; /* a key's name, or the token's `sub`; "" = not known */
    struct grant_symbols *symbols;       /* a reference; NULL = all there are */
};

/* Another holder of the same grant. */
struct grant grant_ref(const struct grant *g);
void grant_fini(struct grant *g); /* gives the reference back; *g is nobody's then */

/* The list: an array of symbols and patterns ("EUR/" and one * at the end). NULL with a sentence
 * when it is none, or is too long. To be put into one grant. */
struct grant_symbols *grant_symbols_new(const json_t *list, struct err *err) MUST_CHECK;
struct grant_symbols *grant_symbols_from(const char *const *list, size_t n) MUST_CHECK;

bool grant_allows(const struct grant *g, const char *symbol);

#endif
