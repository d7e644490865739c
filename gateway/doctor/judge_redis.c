#include <string.h>

#include "bus_advice.h"
#include "item.h"
#include "judges.h"

enum {
    LINKS = 2,             /* connections of one gateway */
    FULL_PERCENT = 80,     /* of maxmemory */
    VERSION_WITH_USERS = 6 /* ACL */
};

/* What can be advised about an error of Redis or of its connection, if anything. */
static void advise(struct findings *to, const char *error)
{
    const char *advice = bus_advice(error);
    if (*advice)
        findings_advise(to, "%s", advice);
}

void judge_redis(const struct doctor_facts *f, struct findings *to)
{
    const struct bus_probe *r = &f->redis;
    if (!f->config->redis.url[0]) {
        findings_add(to, FINDING_OK,
                     "no redis.url: prices stay within this process, and begin anew with it");
        return;
    }
    if (r->reached && r->answered) {
        findings_add(to, FINDING_OK, "Redis at %s answers", r->address);
        return;
    }
    if (!r->address[0]) { /* it could not even be tried, for what the configuration says */
        findings_add(to, FINDING_PROBLEM, "%s", r->why);
        return;
    }
    findings_add(to, FINDING_PROBLEM, "Redis at %s: %s%s", r->address,
                 r->reached ? "it lets us in, but then: " : "", r->why);
    advise(to, r->why);
}

static bool reached(const struct doctor_facts *f)
{
    return f->config->redis.url[0] && f->redis.reached && f->redis.answered;
}

/* INFO tells all of this; one word when it may not be asked. */
void judge_redis_version(const struct doctor_facts *f, struct findings *to)
{
    const struct bus_probe *r = &f->redis;
    if (!reached(f))
        return;
    if (!r->version[0]) {
        findings_add(
            to, FINDING_UNKNOWN,
            "its version, role, connections and memory are not known: INFO is refused (%s)",
            r->info_error);
        findings_advise(to, "as an administrator: redis-cli INFO; or give the user +info");
    } else if (strtol(r->version, NULL, 10) < VERSION_WITH_USERS) {
        findings_add(to, FINDING_WARNING,
                     "Redis %s is old: it has no users with rights of their own", r->version);
        findings_advise(to, "Redis 6 or later has; this program is tested with 7");
    } else {
        findings_add(to, FINDING_OK, "Redis %s", r->version);
    }
}

static bool is_replica(const struct doctor_facts *f)
{
    return strcmp(f->redis.role, "slave") == 0;
}

void judge_redis_role(const struct doctor_facts *f, struct findings *to)
{
    if (!reached(f) || !is_replica(f))
        return;
    findings_add(to, FINDING_PROBLEM, "it is a replica, which takes no prices");
    findings_advise(to, "%s", bus_advice("READONLY"));
}

void judge_redis_rights(const struct doctor_facts *f, struct findings *to)
{
    bool all = true;
    if (!reached(f))
        return;
    for (int i = 0; i < BUS_RIGHTS_LEN; i++) {
        const char *error = f->redis.errors[i];
        if (!*error || (is_replica(f) && strstr(error, "READONLY")))
            continue;
        all = false;
        findings_add(to, FINDING_PROBLEM, "%s is refused: %s", bus_right_name((enum bus_right)i),
                     error);
        advise(to, error);
    }
    if (all && !is_replica(f))
        findings_add(to, FINDING_OK, "GET, SET, PUBLISH and SUBSCRIBE are allowed");
}

void judge_redis_clients(const struct doctor_facts *f, struct findings *to)
{
    const struct bus_probe *r = &f->redis;
    if (!reached(f) || r->maxclients < 0 || r->clients < 0)
        return;
    int64_t others = r->clients - LINKS; /* two of them are ours */
    bool tight = (r->maxclients - others) * 10 < r->maxclients ||
                 r->maxclients - others < 2 * (int64_t)LINKS;
    findings_add(to, tight ? FINDING_WARNING : FINDING_OK,
                 "others have %lld of its %lld connections; a gateway needs %d", (long long)others,
                 (long long)r->maxclients, LINKS);
    if (tight)
        findings_advise(to, "%s", bus_advice("max number of clients"));
}

static bool is_less(int64_t limit, int64_t need)
{
    return limit > 0 && limit < need;
}

/* The most that can be on its way to us at one moment: every symbol once, each as long as can be.
 */
void judge_redis_buffers(const struct doctor_facts *f, struct findings *to)
{
    const struct bus_probe *r = &f->redis;
    int64_t need = (int64_t)f->config->instruments_len * ITEM_BYTES_MAX;
    if (!reached(f))
        return;
    if (r->pubsub_hard_bytes < 0) {
        findings_add(to, FINDING_UNKNOWN,
                     "how much may wait for a subscriber is not known: CONFIG GET is refused (%s)",
                     r->config_error[0] ? r->config_error : "it does not say");
        findings_advise(to, "as an administrator: redis-cli CONFIG GET client-output-buffer-limit");
    } else if (is_less(r->pubsub_hard_bytes, need) || is_less(r->pubsub_soft_bytes, need)) {
        findings_add(to, FINDING_WARNING,
                     "client-output-buffer-limit pubsub %lld %lld %lld: one value of each of our "
                     "symbols can be %lld bytes, and who exceeds it is thrown out",
                     (long long)r->pubsub_hard_bytes, (long long)r->pubsub_soft_bytes,
                     (long long)r->pubsub_soft_s, (long long)need);
        findings_advise(to, "CONFIG SET client-output-buffer-limit \"pubsub %lld %lld 60\"",
                        (long long)need * 4, (long long)need * 2);
    } else {
        findings_add(to, FINDING_OK, "enough may wait for a subscriber");
    }
}

static const char *when_full(const char *policy)
{
    if (strcmp(policy, "noeviction") == 0)
        return "when it is full, prices are refused";
    if (strncmp(policy, "allkeys", strlen("allkeys")) == 0)
        return "when it is full, any key may go, prices too";
    return "when it is full, keys with a TTL go, as ours are";
}

void judge_redis_memory(const struct doctor_facts *f, struct findings *to)
{
    const struct bus_probe *r = &f->redis;
    if (!reached(f) || r->maxmemory_bytes < 0 || r->used_bytes < 0)
        return;
    if (r->maxmemory_bytes == 0) {
        findings_add(to, FINDING_OK, "its memory has no limit (maxmemory)");
        return;
    }
    bool full = r->used_bytes / FULL_PERCENT * 100 >= r->maxmemory_bytes;
    findings_add(to, full ? FINDING_WARNING : FINDING_OK,
                 "%lld of %lld bytes are used (maxmemory), with maxmemory-policy %s: %s",
                 (long long)r->used_bytes, (long long)r->maxmemory_bytes, r->policy,
                 when_full(r->policy));
    if (full)
        findings_advise(to, "raise maxmemory, or set maxmemory-policy volatile-ttl");
}

void judge_redis_clock(const struct doctor_facts *f, struct findings *to)
{
    const struct bus_probe *r = &f->redis;
    if (!reached(f))
        return;
    if (!r->has_clock) {
        findings_add(to, FINDING_UNKNOWN, "its clock is not known: TIME is refused (%s)",
                     r->time_error);
        findings_advise(to, "give the user +time, or compare the machines' clocks");
    } else if (r->is_local) {
        findings_add(to, FINDING_OK,
                     "Redis has this machine's clock, so nothing can be learned from it");
    } else {
        judge_clock(to, "Redis's", r->ahead_ms, r->unsure_ms);
    }
}
