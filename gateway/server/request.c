#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *request_arg(const struct request *r, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < r->args_len; i++)
        if (strncmp(r->args[i], name, n) == 0 && (r->args[i][n] == '=' || !r->args[i][n]))
            return r->args[i][n] ? r->args[i] + n + 1 : r->args[i] + n;
    return NULL;
}

bool request_next(const char **list, const char **item, size_t *len)
{
    if (!*list)
        return false;
    const char *comma = strchr(*list, ',');
    *item = *list;
    *len = comma ? (size_t)(comma - *list) : strlen(*list);
    *list = comma ? comma + 1 : NULL;
    return true;
}

static void trim(const char **p, size_t *len)
{
    while (*len > 0 && (**p == ' ' || **p == '\t')) {
        (*p)++;
        (*len)--;
    }
    while (*len > 0 && ((*p)[*len - 1] == ' ' || (*p)[*len - 1] == '\t'))
        (*len)--;
}

enum body request_body(const struct request *r, size_t most, size_t *len)
{
    *len = 0;
    if (r->transfer_encoding)
        return BODY_BAD;
    if (!r->content_length)
        return r->method & (METHOD_POST | METHOD_PUT) ? BODY_UNSAID : BODY_NONE;
    const char *p = r->content_length;
    size_t n = strlen(p);
    trim(&p, &n);
    if (n == 0 || n > 12)
        return BODY_BAD;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return BODY_BAD;
        *len = *len * 10 + (size_t)(p[i] - '0');
    }
    if (*len > most)
        return BODY_TOO_BIG;
    return *len > 0 ? BODY_EXACT : BODY_EMPTY;
}

bool request_more_comes(const struct request *r, enum body body)
{
    switch (body) {
    case BODY_NONE:
    case BODY_BAD:
        return false;
    case BODY_EMPTY:
        return r->method == METHOD_POST;
    case BODY_UNSAID:
    case BODY_EXACT:
    case BODY_TOO_BIG:
        return true;
    }
    return false;
}

bool request_etag_matches(const char *if_none_match, const char *etag)
{
    const char *item;
    size_t len;
    while (request_next(&if_none_match, &item, &len)) {
        trim(&item, &len);
        if (len == 1 && *item == '*')
            return true;
        if (len > 2 && strncmp(item, "W/", 2) == 0) {
            item += 2;
            len -= 2;
        }
        if (len == strlen(etag) && memcmp(item, etag, len) == 0)
            return true;
    }
    return false;
}

/* "q=0", "q=0.000": not this one. */
static bool is_refused(const char *parameters, size_t len)
{
    trim(&parameters, &len);
    if (len < 3 || (*parameters | 0x20) != 'q' || parameters[1] != '=')
        return false;
    for (size_t i = 2; i < len; i++)
        if (parameters[i] != '0' && parameters[i] != '.')
            return false;
    return true;
}

bool request_accepts_gzip(const char *accept_encoding)
{
    const char *item;
    size_t len;
    while (request_next(&accept_encoding, &item, &len)) {
        const char *semicolon = memchr(item, ';', len);
        size_t name_len = semicolon ? (size_t)(semicolon - item) : len;
        const char *name = item;
        trim(&name, &name_len);
        if (name_len == 4 && strncasecmp(name, "gzip", 4) == 0)
            return !semicolon || !is_refused(semicolon + 1, len - (size_t)(semicolon - item) - 1);
    }
    return false;
}

bool request_list_has(const char *list, const char *token)
{
    const char *item;
    size_t len;
    while (request_next(&list, &item, &len)) {
        trim(&item, &len);
        if (len == strlen(token) && strncasecmp(item, token, len) == 0)
            return true;
    }
    return false;
}
