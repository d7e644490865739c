#include "clock.h"
#include "judges.h"

static const int64_t DAY_MS = 86400000;
enum { SOON_DAYS = 14 };

void judge_tls_files(const struct doctor_facts *f, struct findings *to)
{
    const struct config *c = f->config;
    if (!c->listen.tls_cert)
        return;
    if (f->tls.unusable.text[0])
        findings_add(to, FINDING_PROBLEM, "%s", f->tls.unusable.text);
    else
        findings_add(to, FINDING_OK, "%s and %s can be read and belong together",
                     c->listen.tls_cert, c->listen.tls_key);
}

static bool usable(const struct doctor_facts *f)
{
    return f->config->listen.tls_cert && !f->tls.unusable.text[0];
}

void judge_tls_dates(const struct doctor_facts *f, struct findings *to)
{
    const char *file = f->config->listen.tls_cert;
    char day[CLOCK_RFC3339_MAX];
    if (!usable(f))
        return;
    int64_t left_ms = f->tls.ends_ms - f->wall_ms, days = left_ms / DAY_MS;
    if (f->tls.begins_ms > f->wall_ms) {
        findings_add(to, FINDING_PROBLEM, "%s is not valid before %s", file,
                     clock_rfc3339(f->tls.begins_ms, day));
        findings_advise(to, "wait, or see that this machine's clock is right");
        return;
    }
    (void)clock_rfc3339(f->tls.ends_ms > 0 ? f->tls.ends_ms : 0, day);
    if (left_ms <= 0) {
        findings_add(to, FINDING_PROBLEM, "%s has expired on %s: clients refuse it", file, day);
        findings_advise(to, "put a renewed certificate in its place and reload (SIGHUP)");
    } else if (left_ms <= SOON_DAYS * DAY_MS) {
        findings_add(to, FINDING_WARNING, "%s expires on %s, in less than %lld day%s", file, day,
                     (long long)days + 1, days == 0 ? "" : "s");
        findings_advise(to, "put a renewed certificate in its place and reload (SIGHUP)");
    } else {
        findings_add(to, FINDING_OK, "%s is valid for %lld more days, until %s", file,
                     (long long)days, day);
    }
}

void judge_tls_names(const struct doctor_facts *f, struct findings *to)
{
    const char *file = f->config->listen.tls_cert;
    if (!usable(f))
        return;
    if (!f->tls.names[0]) {
        findings_add(to, FINDING_WARNING,
                     "%s names no host (subjectAltName): browsers accept it for none", file);
        findings_advise(to, "have it made for the names under which clients call this gateway");
    } else if (!f->tls.covers_host) {
        findings_add(to, FINDING_WARNING, "%s is for %s, and not for listen.host, %s", file,
                     f->tls.names, f->config->listen.host);
        findings_advise(to, "fine where clients call it by one of these names; else have it made "
                            "for the name that they use");
    } else {
        findings_add(to, FINDING_OK, "it is for %s: clients must call it by one of these names",
                     f->tls.names);
    }
}

void judge_tls_chain(const struct doctor_facts *f, struct findings *to)
{
    const char *file = f->config->listen.tls_cert;
    if (!usable(f))
        return;
    if (f->tls.stray > 0) {
        findings_add(to, FINDING_WARNING,
                     "%s: certificate %zu of %zu has not signed the one before it: some clients "
                     "refuse such a chain",
                     file, f->tls.stray + 1, f->tls.certificates);
        findings_advise(to, "put them in order: the server's own first, then who signed it, and so "
                            "on");
    } else if (f->tls.is_trusted) {
        findings_add(to, FINDING_OK, "this machine's list of authorities leads to it");
    } else if (f->tls.self_signed) {
        findings_add(to, FINDING_WARNING, "%s is signed by itself: clients refuse it", file);
        findings_advise(to, "fine for a try; else have an authority sign it");
    } else {
        findings_add(to, FINDING_WARNING,
                     "no authority that this machine knows stands behind %s, which ends at \"%s\"",
                     file, f->tls.issuer);
        findings_advise(to, "append the authority's intermediate certificate to the file; if it is "
                            "an authority of your own, clients must know it");
    }
}

void judge_tls_key(const struct doctor_facts *f, struct findings *to)
{
    if (!usable(f) || !f->tls.key_is_open)
        return;
    findings_add(to, FINDING_WARNING, "%s may be read by every user of this machine",
                 f->config->listen.tls_key);
    findings_advise(to, "chmod 640, with a group of its own (ssl-cert on Debian)");
}
