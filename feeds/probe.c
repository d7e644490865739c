/* Any poll probes a provider that is shut, on its way through the chain. But instruments are polled
 * at the pace of the source that answers meanwhile, and that may be one with few credits: a table
 * of rates is asked for every half hour. The first source would be found well up to half an hour
 * after it is. So when its waiting time is over it is asked by itself, for one instrument, without
 * going on to the others of the chain: their credits are for polls. If it answers, it is shown as
 * closed, and with the next plan all those who have it in front lean on it again.
 *
 * For which instrument: the one that it was asked for the longest ago, so that they take turns; one
 * symbol that goes wrong must not keep the provider shut for all. A provider with a limit for the
 * day is not probed more often than that allows; a request to one that is down may well count. */
#include "probe.h"

#include "clock.h"

/* The place of the provider in the chain, if it is before the source that is polled now; -1: it is
 * not, or not to be asked for this instrument. */
static int place_of(const struct feeds *f, const struct feed *d, int provider, int64_t mono_ms)
{
    int leans_on = schedule_leans_on(f->schedule, d->id);
    struct err why;
    for (size_t k = 0; k < d->in->sources_len && d->chain[k] != leans_on; k++)
        if (d->chain[k] == provider)
            return feed_suspended(d, k, mono_ms, &why) == FAIL_NONE ? (int)k : -1;
    return -1;
}

/* When the provider was last asked for it; INT64_MAX: it is no candidate. */
static int64_t asked_ms(const struct feeds *f, const struct feed *d, int provider, int64_t mono_ms)
{
    int place = d->walking > 0 || d->probing ? -1 : place_of(f, d, provider, mono_ms);
    return place < 0 ? INT64_MAX : d->sources[place].asked_ms;
}

static struct feed *candidate(const struct feeds *f, int provider, int64_t mono_ms)
{
    struct feed *found = NULL;
    int64_t longest_ago_ms = INT64_MAX;
    for (size_t i = 0; i < f->config->instruments_len; i++) {
        int64_t at_ms = asked_ms(f, &f->feeds[i], provider, mono_ms);
        if (at_ms < longest_ago_ms) {
            longest_ago_ms = at_ms;
            found = &f->feeds[i];
        }
    }
    return found;
}

/* Would the day's credits last at this rate? */
static bool affordable(const struct feeds *f, int provider, int64_t mono_ms)
{
    const struct schedule_provider *p = &f->plan[provider];
    int64_t last_ms = f->upstreams[provider].probed_ms;
    if (p->day_left < 0 || last_ms == 0)
        return true;
    return p->day_left > 0 && mono_ms - last_ms >= p->day_ends_in_ms / p->day_left;
}

void probe_due(struct feeds *f, int64_t mono_ms)
{
    int64_t wall_ms = clock_wall_ms();
    for (size_t p = 0; p < f->config->providers_len; p++) {
        if (!upstream_probe_due(&f->upstreams[p], wall_ms) || !affordable(f, (int)p, mono_ms))
            continue;
        struct feed *d = candidate(f, (int)p, mono_ms);
        if (!d)
            continue;
        const struct walk_options options = {.kind = WALK_PROBE, .only_provider = (int)p};
        f->upstreams[p].probed_ms = mono_ms;
        d->probing = true;
        if (chain_start(&f->host, &d->id, 1, &options) != 0)
            d->probing = false;
    }
}

void probe_ended(struct feeds *f, struct feed *d, const struct chain_end *end)
{
    int64_t mono_ms = clock_mono_ms(), interval_ms = schedule_interval_ms(f->schedule, d->id);
    d->probing = false;
    if (end->accepted) {
        feed_walked(d, end, interval_ms, mono_ms);
        feed_log_walk(d, end, mono_ms);
    } else {
        feed_probed(d, end, interval_ms, mono_ms);
    }
}
