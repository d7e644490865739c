/* jsonx.h - JSON from strangers: strict parsing, and the byte ranges of an object's members.
 *
 * jansson parses; this adds limits (size, a depth of 16, no duplicate names) and what jansson
 * cannot tell: where in the text a member stands, so that bytes can be passed on untouched and
 * numbers keep their digits. */
#ifndef PRICEGATE_JSONX_H
#define PRICEGATE_JSONX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define JSONX_DEPTH_MAX 16

/* Parses one JSON text (any type at the top). NULL with a sentence when it is too long, too deep,
 * has duplicate names, is not UTF-8 or not JSON, or without memory ("out of memory"). The caller
 * json_decref()s. */
json_t *jsonx_parse(const char *text, size_t len, size_t max_bytes, struct err *err) MUST_CHECK;

/* The same for what is passed on as it is rather than used: integers of any length are taken (all
 * numbers are read as reals), and so is \u0000 in strings, behind which C strings end. */
json_t *jsonx_parse_loose(const char *text, size_t len, size_t max_bytes,
                          struct err *err) MUST_CHECK;

/* Of the sentence about a text that is not JSON: leaves out what is quoted of it, where that may be
 * a secret. The place, line and column, stays. */
void jsonx_drop_quotation(struct err *err);

struct jsonx_member {
    const char *name; /* between the quotes, escapes not resolved */
    size_t name_len;
    const char *value; /* the value's text, strings with their quotes */
    size_t value_len;
};

/* Lists the members of the object text[0..len), which jsonx_parse() must have accepted.
 * Returns how many there are, at most max; -1 when there are more or the text is not an object. */
int jsonx_members(const char *text, size_t len, struct jsonx_member *out, int max) MUST_CHECK;

/* Walks the elements of the array text[0..len), which jsonx_parse() must have accepted. *pos is
 * NULL before the first call. False when there are no more. Only value and value_len are set. */
bool jsonx_next_element(const char *text, size_t len, const char **pos, struct jsonx_member *out);

/* Is that the member's name? Escapes of ASCII characters in the text are resolved. */
bool jsonx_member_is(const struct jsonx_member *m, const char *name);

/* For documents of many parts: a member of *object, an element of *list. Steals the value. Without
 * memory (a value that is NULL, too) the whole document is given up and becomes NULL, and stays so:
 * whoever builds it asks once, at the end. */
void jsonx_set(json_t **object, const char *name, json_t *value);
void jsonx_append(json_t **list, json_t *value);

/* A string for people, of any bytes: a file's name, or a sentence that was cut within a character.
 * What is no UTF-8, and would be no JSON, becomes U+FFFD. New reference; NULL: out of memory. */
json_t *jsonx_text(const char *text, size_t len) MUST_CHECK;

/* Borrowed string member, or NULL when absent or not a string. */
const char *jsonx_string(const json_t *object, const char *name);

#endif
