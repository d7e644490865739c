#include <string.h>

#include "judges.h"

/* --- keys --- */

static void judge_chains(const struct config *c, struct findings *to)
{
    for (size_t i = 0; i < c->instruments_len; i++) {
        if (config_has_source(c, i))
            continue;
        findings_add(to, FINDING_PROBLEM, "nobody can be asked for %s: all its sources are off",
                     c->instruments[i].symbol);
        findings_advise(to, "set a key for one of them, or add a source that needs none");
    }
}

/* Of a process that asks nobody: keys do not matter to it, but somebody else's prices do. */
static void judge_reader(const struct config *c, struct findings *to)
{
    if (*c->redis.url) {
        findings_add(to, FINDING_OK, "REALTIME_PRICE_FEED_ENABLED is off: prices come from Redis");
        return;
    }
    findings_add(to, FINDING_PROBLEM,
                 "REALTIME_PRICE_FEED_ENABLED is off and redis.url is empty: no price will ever "
                 "come");
    findings_advise(to, "unset that variable, or set redis.url to where another gateway's prices "
                        "are");
}

void judge_keys(const struct doctor_facts *f, struct findings *to)
{
    const struct config *c = f->config;
    size_t off = 0, on = 0;
    if (!c->feeds_enabled) {
        judge_reader(c, to);
        return;
    }
    for (size_t i = 0; i < c->providers_len; i++) {
        if (!config_uses(c, i))
            continue;
        on += c->providers[i].enabled;
        if (c->providers[i].enabled)
            continue;
        off++;
        findings_add(to, FINDING_WARNING, "%s is left out of every chain: %s", c->providers[i].name,
                     c->providers[i].why_disabled);
        findings_advise(to, "%s", CONFIG_DISABLED_ADVICE);
    }
    judge_chains(c, to);
    if (off == 0 && on > 0)
        findings_add(to, FINDING_OK, "%zu provider%s in use, and no key is missing", on,
                     on == 1 ? " is" : "s are");
}

/* --- answers --- */

static enum finding_state state_of(enum failure failure)
{
    return failure == FAIL_NONE   ? FINDING_OK
           : failure == FAIL_AUTH ? FINDING_PROBLEM
                                  : FINDING_WARNING;
}

static void advise(struct findings *to, const char *name, const struct provider_try *t)
{
    switch (t->failure) {
    case FAIL_AUTH:
        findings_advise(to, "correct the key: providers.%s.api_key, or the variable that it names",
                        name);
        break;
    case FAIL_NOT_FOUND:
    case FAIL_NO_DATA:
        findings_advise(to,
                        "correct \"symbol\" of this source; `pricegate fetch --all` tries each");
        break;
    case FAIL_RATE_LIMITED:
        findings_advise(to, "wait until its credits are back; `pricegate plan` says what polling "
                            "needs of them");
        break;
    case FAIL_DNS:
    case FAIL_CONNECT:
    case FAIL_TIMEOUT:
        findings_advise(to, "see that this machine reaches it: names, firewall, https_proxy");
        break;
    case FAIL_TLS:
        findings_advise(to, "install ca-certificates, or see who answers in its place (a proxy?)");
        break;
    default:
        findings_advise(to, "try later; the other sources of its instruments stand in");
        break;
    }
}

static void judge_try(const struct config *c, const struct provider_try *t, struct findings *to)
{
    const char *name = c->providers[t->provider].name;
    if (t->failure == FAIL_NONE) {
        findings_add(to, FINDING_OK, "%s answered for %s in %lld ms", name, t->symbol,
                     (long long)t->took_ms);
        return;
    }
    findings_add(to, state_of(t->failure), "%s, asked for %s: %s%s%s", name, t->symbol,
                 failure_name(t->failure), t->detail[0] ? ": " : "", t->detail);
    advise(to, name, t);
}

void judge_answers(const struct doctor_facts *f, struct findings *to)
{
    size_t answered = 0;
    if (f->tries_len == 0)
        return;
    if (!f->asked_providers) {
        findings_add(to, FINDING_UNKNOWN,
                     "%zu provider%s not asked, so whether keys are right is not known",
                     f->tries_len, f->tries_len == 1 ? " was" : "s were");
        findings_advise(to, "`pricegate doctor --providers` asks each once, which spends a credit "
                            "of each");
        return;
    }
    if (f->not_asked.text[0]) {
        findings_add(to, FINDING_PROBLEM, "%s", f->not_asked.text);
        return;
    }
    for (size_t i = 0; i < f->tries_len; i++) {
        judge_try(f->config, &f->tries[i], to);
        answered += f->tries[i].failure == FAIL_NONE;
    }
    if (answered > 0)
        return;
    findings_add(to, FINDING_PROBLEM, "no provider gave a price");
    findings_advise(to, "where all of them fail in the same way, this machine's network is why");
}

/* --- their clocks --- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Date has whole seconds, and was written at some time between question and answer. One provider's
 * clock may be wrong; the middle of them is believed. */
void judge_provider_clock(const struct doctor_facts *f, struct findings *to)
{
    int64_t ahead_ms[DOCTOR_PROVIDERS_MAX], unsure_ms = 0;
    size_t n = 0;
    for (size_t i = 0; f->asked_providers && i < f->tries_len; i++) {
        const struct provider_try *t = &f->tries[i];
        if (t->date_ms == 0)
            continue;
        ahead_ms[n++] = t->date_ms + 500 - (t->asked_ms + t->answered_ms) / 2;
        int64_t width_ms = 500 + (t->answered_ms - t->asked_ms) / 2;
        unsure_ms = width_ms > unsure_ms ? width_ms : unsure_ms;
    }
    if (n == 0)
        return;
    qsort(ahead_ms, n, sizeof ahead_ms[0], by_value);
    judge_clock(to, n == 1 ? "the provider's" : "the providers'", ahead_ms[n / 2], unsure_ms);
}
