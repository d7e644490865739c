/* What, why, the last good value and what to do, from how a matter stands at the moment at which
 * the message is written: the reason is the latest one, and the price in a recovery is the one that
 * there is. */
#include "notice_describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus_advice.h"

static const char NONE_YET[] = "none since this program was started";

#define SET(member, ...) snprintf((member), sizeof(member), __VA_ARGS__)

static void describe_bus(const struct notice *x, const struct notice_scene *s,
                         struct notice_facts *f)
{
    const char *advice = bus_advice(s->bus_why);
    SET(f->name, "Redis");
    if (x->kind == NOTICE_RECOVERY) {
        SET(f->what, "Redis is back");
        return;
    }
    SET(f->what, x->kind == NOTICE_FAILURE ? "Redis cannot be reached"
                                           : "Redis answers, but refuses what is sent to it");
    SET(f->why, "%s", s->bus_why);
    if (x->kind == NOTICE_PARTIAL)
        SET(f->to_do, "the log says beside bus_refused which command and why; a replica, maxmemory "
                      "and a missing right are the usual ones");
    else
        SET(f->to_do,
            "%s%snothing has to be restarted: prices go on reaching the clients of this "
            "gateway, and the rest follows when Redis is back",
            advice, *advice ? "; " : "");
}

static void describe_certificate(const struct notice *x, const struct notice_scene *s,
                                 struct notice_facts *f)
{
    char at[NOTICE_TIME_MAX];
    notice_time(s->certificate_ends_ms, at);
    SET(f->name, "certificate");
    if (x->kind == NOTICE_RECOVERY) {
        SET(f->what, "another certificate is served, until %s", at);
        return;
    }
    SET(f->what, "the certificate that is served %s on %s",
        x->kind == NOTICE_FAILURE ? "ended" : "ends", at);
    SET(f->to_do, "put a new one in the place of listen.tls.cert and listen.tls.key, then reload "
                  "(SIGHUP): no connection is lost");
}

static void describe_job(const struct notice *x, enum job job, const struct notice_telling *t,
                         struct notice_facts *f)
{
    struct trouble_job j = feeds_trouble_job(t->scene->feeds, job);
    int64_t good_ms = t->watch->jobs[job].good_ms;
    char at[NOTICE_TIME_MAX];
    SET(f->name, "job %s", job_name(job));
    if (x->kind == NOTICE_RECOVERY || x->kind == NOTICE_SUCCESS) {
        SET(f->what, "job %s is done: %zu of %zu instruments in %.1f s", job_name(job),
            j.instruments - j.failed, j.instruments, (double)j.took_ms / 1000);
        return;
    }
    SET(f->last_good, good_ms > 0 ? "the run of %s" : "%s",
        good_ms > 0 ? notice_time(good_ms, at) : NONE_YET);
    if (t->watch->jobs[job].level == NOTICE_WELL && j.late) {
        SET(f->what, "job %s still runs after %" PRId64 " s; %zu of its instruments are not done",
            job_name(job), t->scene->config->jobs.sla_s, j.waiting);
        SET(f->to_do, "see which source is slow in /data-health/sources; raise jobs.sla_s if it "
                      "needs that long");
        return;
    }
    SET(f->what, "job %s%s: %zu of %zu instruments brought nothing%s", job_name(job),
        x->kind == NOTICE_FAILURE ? " failed" : "", j.failed, j.instruments,
        j.overran ? ", and it took longer than jobs.sla_s" : "");
    SET(f->why, "%s", j.why);
    SET(f->to_do,
        "/data-health/jobs says what each of them said; when the cause is gone, POST "
        "/data-health/refresh-%s runs it now",
        job == JOB_MARKET         ? "market"
        : job == JOB_INTELLIGENCE ? "intelligence"
                                  : "all");
}

static void describe_provider(const struct notice *x, size_t i, const struct notice_scene *s,
                              struct notice_facts *f)
{
    const char *name = s->config->providers[i].name;
    struct trouble_provider t = feeds_trouble_provider(s->feeds, i, s->now.wall_ms);
    char at[NOTICE_TIME_MAX];
    SET(f->name, "%s", name);
    if (x->kind == NOTICE_RECOVERY) {
        SET(f->what, "%s answers again", name);
        return;
    }
    SET(f->last_good, t.answered_ms > 0 ? "its answer of %s" : "%s",
        t.answered_ms > 0 ? notice_time(t.answered_ms, at) : NONE_YET);
    SET(f->why, "%s", t.last_error[0] ? t.last_error : t.reason);
    if (t.suspended) {
        SET(f->what,
            "%s is suspended: it failed in several runs of jobs, and is asked nothing more", name);
        SET(f->to_do,
            "when it works again, POST /data-health/reset-circuit/%s; nothing else lifts "
            "it",
            name);
        return;
    }
    SET(f->what, "%s is left alone (its breaker is open); other sources answer where there are any",
        name);
    if (t.retry_ms > 0)
        SET(f->to_do,
            "it is tried again at %s; when the cause is gone, POST "
            "/data-health/reset-circuit/%s saves the wait",
            notice_time(t.retry_ms, at), name);
    else
        SET(f->to_do, "/data-health/sources says more of it; it is tried again by itself");
}

/* --- instruments --- */

/* "2.943 USD/lb from yahoo, 2026-11-21 17:01:02 UTC" */
static void put_value(const struct instrument *in, const struct standing *st, char *out,
                      size_t size, bool when)
{
    char price[DECIMAL_TEXT_MAX] = "", at[NOTICE_TIME_MAX];
    const char *unit = in->unit ? in->unit : in->currency ? in->currency : "";
    if (!st->item)
        return;
    if (st->item->price.given)
        decimal_format(st->item->price, price);
    snprintf(out, size, "%s%s%s%sfrom %s%s%s", price, *price && *unit ? " " : "",
             *price ? unit : "", *price ? " " : "",
             st->item->source[0] ? st->item->source : "others", when ? ", " : "",
             when ? notice_time(st->recv_ms, at) : "");
}

static const struct {
    enum failure failure;
    const char *advice;
} advices[] = {
    {FAIL_AUTH,         "check the provider's key"                                     },
    {FAIL_BLOCKED,      "the provider shuts programs out: add a source, or licence one"},
    {FAIL_BREAKER_OPEN, "/data-health/sources says why its providers are left alone"   },
    {FAIL_BUDGET,       "`pricegate plan` shows what the credits go to"                },
    {FAIL_CONNECT,      "see whether this machine can reach the provider"              },
    {FAIL_DISABLED,     "`pricegate check` says what its providers lack"               },
    {FAIL_DNS,          "see whether this machine's name server answers"               },
    {FAIL_NOT_FOUND,    "check the symbol of each source in the configuration"         },
    {FAIL_RATE_LIMITED, "poll less often, or buy more (`pricegate plan`)"              },
    {FAIL_TIMEOUT,      "see whether this machine can reach the provider"              },
    {FAIL_TLS,          "see whether this machine's clock and certificates are right"  },
};

static const char *advice_for(enum failure failure)
{
    for (size_t i = 0; i < ARRAY_LEN(advices); i++)
        if (advices[i].failure == failure)
            return advices[i].advice;
    return "see what its sources say";
}

static void describe_instrument(const struct notice *x, size_t i, const struct notice_scene *s,
                                struct notice_facts *f)
{
    const struct instrument *in = &s->config->instruments[i];
    const char *thing = in->kind == INSTRUMENT_QUOTE ? "price" : "value";
    struct standing st = fanout_standing(tiers_live(s->tiers), (int)i, s->now.wall_ms);
    struct trouble_chain t = feeds_trouble_chain(s->feeds, (int)i, s->now.mono_ms, s->now.wall_ms);
    char value[sizeof f->last_good] = "";
    SET(f->name, "%s", in->symbol);
    put_value(in, &st, value, sizeof value, x->kind != NOTICE_RECOVERY);
    if (x->kind == NOTICE_RECOVERY) {
        SET(f->what, "%s is well again (%s): %s", in->symbol, quote_state_name(st.state), value);
        return;
    }
    if (t.failing)
        SET(f->what, "no source of %s answers; its %s is %s", in->symbol, thing,
            quote_state_name(st.state));
    else
        SET(f->what, "the %s of %s is %s", thing, in->symbol, quote_state_name(st.state));
    SET(f->last_good, "%s", *value ? value : NONE_YET);
    if (in->sources_len == 0) {
        SET(f->why, "it is fed by other programs, and they have been silent");
        SET(f->to_do, "see whether they run, and whether they and this gateway use the same Redis");
        return;
    }
    if (t.failure != FAIL_NONE)
        SET(f->why, "%s%s%s%s%s", t.provider ? t.provider : "", t.provider ? ": " : "",
            failure_name(t.failure), t.detail[0] ? ", " : "", t.detail);
    SET(f->to_do,
        "%s; /api/v1/provenance/%s tells of each source, `pricegate fetch %s` tries them "
        "all",
        advice_for(t.failure), in->symbol, in->symbol);
}

void notice_describe_matter(void *ctx, const struct notice *x, struct notice_facts *out)
{
    const struct notice_telling *t = ctx;
    struct matter_place p = notice_watch_place(t->scene->config, x->matter);
    *out = (struct notice_facts){.name = ""};
    switch (p.about) {
    case ABOUT_BUS:
        describe_bus(x, t->scene, out);
        break;
    case ABOUT_CERTIFICATE:
        describe_certificate(x, t->scene, out);
        break;
    case ABOUT_JOB:
        describe_job(x, (enum job)p.number, t, out);
        break;
    case ABOUT_PROVIDER:
        describe_provider(x, p.number, t->scene, out);
        break;
    case ABOUT_INSTRUMENT:
        describe_instrument(x, p.number, t->scene, out);
        break;
    }
}
