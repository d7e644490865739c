#include <string.h>

#include "endpoint.h"
#include "item.h"
#include "judges.h"

static const int64_t CLOCK_WARN_MS = 2000;

/* --- ports --- */

/* beside: what two processes need to run at once. */
static void judge_one_port(const struct port_look *p, const char *setting, const char *beside,
                           struct findings *to)
{
    const struct machine_holder *h = &p->holder;
    if (!p->wanted)
        return;
    if (!p->taken.text[0]) {
        findings_add(to, FINDING_OK, "%s: %s can be had", setting, p->at);
    } else if (p->is_pricegate) {
        if (h->found)
            findings_add(to, FINDING_OK, "%s: %s is served by a running pricegate (pid %ld)",
                         setting, p->at, h->pid);
        else
            findings_add(to, FINDING_OK, "%s: %s is served by a running pricegate", setting, p->at);
        findings_advise(to, "a second one needs %s", beside);
    } else if (h->found) {
        findings_add(to, FINDING_PROBLEM, "%s: %s is taken by %s (pid %ld)", setting, p->at,
                     h->name, h->pid);
        findings_advise(to, "stop it, or give another %s", setting);
    } else {
        findings_add(to, FINDING_PROBLEM, "%s", p->taken.text);
    }
}

void judge_port(const struct doctor_facts *f, struct findings *to)
{
    judge_one_port(&f->main_port, "listen.port", "another address, or listen.share in both", to);
}

void judge_metrics_port(const struct doctor_facts *f, struct findings *to)
{
    judge_one_port(&f->metrics_port, "listen.metrics_port", "another listen.metrics_port", to);
}

/* --- what the kernel and the shell allow --- */

void judge_open_files(const struct doctor_facts *f, struct findings *to)
{
    int64_t wanted = f->config ? f->config->limits.connections : 0;
    if (f->machine.files < 0) {
        findings_add(to, FINDING_PROBLEM, "%s", f->machine.files_why.text);
    } else if (!f->config) {
        findings_add(to, FINDING_OK, "%lld files may be open", (long long)f->machine.files);
    } else if (wanted > f->connections) {
        findings_add(to, FINDING_WARNING,
                     "limits.connections is %lld, but %lld open files are room for %lld",
                     (long long)wanted, (long long)f->machine.files, (long long)f->connections);
        findings_advise(to, "raise it to %lld: LimitNOFILE= in the unit, `ulimit -n` in a shell",
                        (long long)(wanted + f->machine.files - f->connections));
    } else {
        findings_add(to, FINDING_OK,
                     "%lld files may be open, room for %lld WebSockets and event streams (of this "
                     "shell: a service has its own limit)",
                     (long long)f->machine.files, (long long)f->connections);
    }
}

void judge_backlog(const struct doctor_facts *f, struct findings *to)
{
    int64_t n = f->machine.somaxconn;
    if (n < 0)
        return;
    if (n >= ENDPOINT_BACKLOG) {
        findings_add(to, FINDING_OK, "%lld connections may wait to be accepted", (long long)n);
        return;
    }
    findings_add(to, FINDING_WARNING,
                 "only %lld connections may wait to be accepted: of a crowd that comes back at "
                 "once, some will have to try again",
                 (long long)n);
    findings_advise(to, "sysctl -w net.core.somaxconn=%lld", (long long)ENDPOINT_BACKLOG);
}

void judge_sndbuf(const struct doctor_facts *f, struct findings *to)
{
    int64_t most = f->machine.wmem_max, wanted = f->config->fanout.sndbuf_bytes;
    if (most < 0 || most >= wanted)
        return;
    findings_add(to, FINDING_WARNING,
                 "fanout.sndbuf_bytes is %lld, but the kernel gives a socket %lld at most",
                 (long long)wanted, (long long)most);
    findings_advise(to, "sysctl -w net.core.wmem_max=%lld, or a smaller fanout.sndbuf_bytes",
                    (long long)wanted);
}

/* --- time --- */

void judge_ntp(const struct doctor_facts *f, struct findings *to)
{
    switch (f->machine.ntp) {
    case NTP_KEPT:
        findings_add(to, FINDING_OK, "the kernel says that this machine's clock is kept right");
        break;
    case NTP_FREE:
        findings_add(to, FINDING_WARNING,
                     "nobody keeps this machine's clock right, as far as the kernel knows: ages of "
                     "prices are judged by it");
        findings_advise(to, "run chrony or systemd-timesyncd; for a container, on its host");
        break;
    case NTP_UNKNOWN:
        findings_add(to, FINDING_UNKNOWN,
                     "the kernel does not say whether anybody keeps this machine's clock right");
        findings_advise(to, "ask where the clock is set: `chronyc tracking`, `timedatectl`");
        break;
    }
}

void judge_clock(struct findings *to, const char *whose, int64_t ahead_ms, int64_t unsure_ms)
{
    int64_t off_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms, sure_ms = off_ms - unsure_ms;
    if (sure_ms < CLOCK_WARN_MS) {
        findings_add(to, FINDING_OK, "%s clock agrees with this machine's, give or take %.1f s",
                     whose, (double)(off_ms + unsure_ms) / 1000);
        return;
    }
    findings_add(to, sure_ms >= ITEM_AHEAD_MAX_MS ? FINDING_PROBLEM : FINDING_WARNING,
                 "%s clock is %.1f s %s this machine's: %s", whose, (double)off_ms / 1000,
                 ahead_ms > 0 ? "ahead of" : "behind",
                 ahead_ms > 0 ? "prices that are stamped by it seem to come from the future, and "
                                "are refused from 5 s on"
                              : "prices that are stamped by it seem older than they are");
    findings_advise(to, "set both clocks by the same time server (chrony, systemd-timesyncd)");
}

/* --- who asks --- */

/* Does the configuration name anything that a user might not be allowed to read or write? */
static bool names_files(const struct config *c)
{
    return c->listen.tls_cert || c->listen.web_root || c->quality.dead_letter_dir ||
           c->auth.jwt.public_key_file;
}

void judge_user(const struct doctor_facts *f, struct findings *to)
{
    if (!f->machine.is_root || !names_files(f->config))
        return;
    findings_add(to, FINDING_UNKNOWN,
                 "root may read and write what the user of a service may not: whether that user "
                 "can use the files was not seen");
    findings_advise(to, "run this as that user; README has the line for the shipped service");
}
