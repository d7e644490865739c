#include "proxy.h"

#include <stdlib.h>
#include <string.h>

int proxies_init(struct proxies *p, const char *const *texts, size_t len)
{
    *p = (struct proxies){0};
    if (len == 0)
        return 0;
    p->trusted = calloc(len, sizeof *p->trusted);
    if (!p->trusted)
        return -1;
    for (size_t i = 0; i < len; i++)
        if (cidr_parse(texts[i], &p->trusted[p->len]) == 0)
            p->len++;
    return 0;
}

void proxies_fini(struct proxies *p)
{
    free(p->trusted);
    *p = (struct proxies){0};
}

static bool is_trusted(const struct proxies *p, const struct address *a)
{
    for (size_t i = 0; i < p->len; i++)
        if (cidr_contains(&p->trusted[i], a))
            return true;
    return false;
}

/* One element: an address, "v4:port", "[v6]", "[v6]:port" or "unix:". */
static int parse_hop(const char *begin, const char *end, struct address *out)
{
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (begin < end && *begin == '[') {
        const char *close = memchr(begin, ']', (size_t)(end - begin));
        return close ? address_parse(begin + 1, (size_t)(close - begin - 1), out) : -1;
    }
    if (address_parse(begin, (size_t)(end - begin), out) == 0)
        return 0;
    const char *colon = memchr(begin, ':', (size_t)(end - begin));
    if (!colon || memchr(colon + 1, ':', (size_t)(end - colon - 1)))
        return -1;
    return address_parse(begin, (size_t)(colon - begin), out);
}

struct address proxies_client(const struct proxies *p, const struct address *peer,
                              const char *forwarded_for)
{
    struct address client = *peer;
    const char *end = forwarded_for ? forwarded_for + strlen(forwarded_for) : NULL;
    while (end && is_trusted(p, &client)) {
        const char *begin = end;
        while (begin > forwarded_for && begin[-1] != ',')
            begin--;
        struct address hop;
        if (parse_hop(begin, end, &hop) != 0)
            break;
        client = hop;
        end = begin > forwarded_for ? begin - 1 : NULL;
    }
    return client;
}
