#include "capacity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const rlim_t FILES_MIN = 128;
/* Tables are sized by the limit, and containers often say "a billion". */
static const rlim_t FILES_MAX = 262144;
static const int64_t RESERVED_FILES = 64;
static const int64_t RESERVED_HTTP = 32;
#define BUCKETS 1024

struct capacity_entry {
    struct capacity_entry *next;
    struct address party;
    size_t count;
};

int64_t capacity_raise_files(struct err *err)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return err_set(err, "cannot read the limit of open files: %s", strerror(errno));
    rlim_t before = r.rlim_cur;
    r.rlim_cur = r.rlim_max < FILES_MAX ? r.rlim_max : FILES_MAX;
    if (r.rlim_cur != before && setrlimit(RLIMIT_NOFILE, &r) != 0)
        r.rlim_cur = before;
    if (r.rlim_cur < FILES_MIN)
        return err_set(err,
                       "only %llu open files are allowed, at least %llu are needed: raise it by "
                       "LimitNOFILE= in the unit, `ulimit -n` in a shell",
                       (unsigned long long)r.rlim_cur, (unsigned long long)FILES_MIN);
    return (int64_t)r.rlim_cur;
}

void capacity_init(struct capacity *l, const struct config *c, int64_t files)
{
    *l = (struct capacity){.sockets = (size_t)(files - RESERVED_FILES)};
    capacity_change(l, c);
}

void capacity_change(struct capacity *l, const struct config *c)
{
    int64_t streams = (int64_t)l->sockets - RESERVED_HTTP;
    if (c->limits.connections > 0 && c->limits.connections < streams)
        streams = c->limits.connections;
    l->streams = (size_t)streams;
    l->per_address = (size_t)c->limits.connections_per_ip;
}

void capacity_fini(struct capacity *l)
{
    for (size_t i = 0; l->addresses && i < BUCKETS; i++)
        while (l->addresses[i]) {
            struct capacity_entry *e = l->addresses[i];
            l->addresses[i] = e->next;
            free(e);
        }
    free(l->addresses);
    l->addresses = NULL;
}

/* FNV-1a. An attacker who makes collisions costs one list walk per handshake of his own, and the
 * list is no longer than what streams allows. */
static size_t bucket_of(const struct address *a)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < sizeof a->bytes; i++)
        h = (h ^ a->bytes[i]) * 16777619u;
    return h % BUCKETS;
}

static struct capacity_entry **find(struct capacity *l, const struct address *a)
{
    struct capacity_entry **e = &l->addresses[bucket_of(a)];
    while (*e && !address_equal(&(*e)->party, a))
        e = &(*e)->next;
    return e;
}

static enum capacity_verdict take_address(struct capacity *l, const struct address *client)
{
    const struct address party = address_party(client);
    if (!l->addresses)
        l->addresses = calloc(BUCKETS, sizeof(struct capacity_entry *));
    if (!l->addresses)
        return CAPACITY_FULL;
    struct capacity_entry **e = find(l, &party);
    if (!*e) {
        *e = calloc(1, sizeof **e);
        if (!*e)
            return CAPACITY_FULL;
        (*e)->party = party;
    }
    if (l->per_address > 0 && (*e)->count >= l->per_address)
        return CAPACITY_ADDRESS;
    (*e)->count++;
    return CAPACITY_OK;
}

enum capacity_verdict capacity_take(struct capacity *l, const struct address *client)
{
    if (l->streams_open >= l->streams)
        return CAPACITY_FULL;
    enum capacity_verdict v = take_address(l, client);
    if (v == CAPACITY_OK)
        l->streams_open++;
    return v;
}

void capacity_give(struct capacity *l, const struct address *client)
{
    const struct address party = address_party(client);
    REQUIRE(l->streams_open > 0);
    l->streams_open--;
    struct capacity_entry **e = find(l, &party);
    REQUIRE(*e && (*e)->count > 0);
    if (--(*e)->count == 0) {
        struct capacity_entry *gone = *e;
        *e = gone->next;
        free(gone);
    }
}
