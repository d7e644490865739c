#include "named_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "auth.h"
#include "clock.h"
#include "dead_letters.h"
#include "exchanges.h"
#include "gateway.h"
#include "log.h"
#include "tls.h"

#define SENTENCE_MAX 4600 /* a path may have 4096 bytes */
static const int64_t SOON_MS = INT64_C(14) * 86400000;

struct teller {
    const struct config *config;
    int64_t wall_ms;
    named_files_tell *tell;
    void *ctx;
};

/* --- each kind of file --- */

static const char *write_advice(int failure)
{
    switch (failure) {
    case EACCES:
    case EPERM:
        return "let the user that runs pricegate write there";
    case EROFS:
        return "name a folder on a disk that may be written to (with the shipped service: below "
               "/var/lib/pricegate)";
    case ENOENT:
        return "make that folder, or name another";
    default:
        return "name another folder";
    }
}

static void tell_errno(const struct teller *t, const char *setting, const char *path, int failure,
                       bool to_write)
{
    char text[SENTENCE_MAX];
    snprintf(text, sizeof text, "%s: %s: %s", setting, path, strerror(failure));
    t->tell(t->ctx, NAMED_SPOILS, setting, text,
            to_write ? write_advice(failure) : err_file_advice(failure));
}

static void tell_certificate(const struct teller *t, enum named_files_kind kind, const char *what,
                             int64_t at_ms, const char *advice)
{
    char at[CLOCK_RFC3339_MAX], text[SENTENCE_MAX];
    snprintf(text, sizeof text, "listen.tls.cert: %s: the certificate %s %s",
             t->config->listen.tls_cert, what, clock_rfc3339(at_ms, at));
    t->tell(t->ctx, kind, "listen.tls.cert", text, advice);
}

static void check_certificate(const struct teller *t)
{
    static const char renew[] = "put a renewed one in its place and reload (SIGHUP)";
    const struct config *c = t->config;
    struct err err;
    if (!c->listen.tls_cert)
        return;
    struct tls_identity *id = tls_identity_load(c->listen.tls_cert, c->listen.tls_key, &err);
    if (!id) {
        t->tell(t->ctx, NAMED_STOPS, "listen.tls", err.text, NULL);
        return;
    }
    int64_t begins_ms = tls_identity_begins_ms(id), ends_ms = tls_identity_ends_ms(id);
    tls_identity_free(id);
    if (begins_ms > t->wall_ms)
        tell_certificate(t, NAMED_SPOILS, "is not valid yet, clients refuse it until", begins_ms,
                         "wait, or see that this machine's clock is right");
    if (ends_ms <= 0 || ends_ms - t->wall_ms > SOON_MS)
        return;
    if (ends_ms <= t->wall_ms)
        tell_certificate(t, NAMED_SPOILS, "has expired, clients refuse it since", ends_ms, renew);
    else
        tell_certificate(t, NAMED_NOTE, "expires on", ends_ms, renew);
}

static void check_web_root(const struct teller *t)
{
    static const char setting[] = "listen.web_root";
    const char *folder = t->config->listen.web_root;
    char page[4200];
    struct stat st;
    if (!folder)
        return;
    snprintf(page, sizeof page, "%s/index.html", folder);
    if (stat(folder, &st) != 0)
        tell_errno(t, setting, folder, errno, false);
    else if (!S_ISDIR(st.st_mode))
        tell_errno(t, setting, folder, ENOTDIR, false);
    else if (access(page, R_OK) != 0)
        tell_errno(t, setting, page, errno, false);
}

static void check_room(const struct teller *t, const char *setting, const char *folder)
{
    char text[SENTENCE_MAX];
    struct statvfs fs;
    uint64_t most = dead_letters_default.bytes;
    if (statvfs(folder, &fs) != 0 || (uint64_t)fs.f_bavail * fs.f_frsize >= most)
        return;
    snprintf(text, sizeof text, "%s: %s: the disk has less than %llu MB left", setting, folder,
             (unsigned long long)(most >> 20));
    t->tell(t->ctx, NAMED_NOTE, setting, text, "make room there, or name another folder");
}

/* What cannot be written to is the folder, or, where there is none, the one that it would be made
 * in. */
static void check_dead_letters(const struct teller *t)
{
    static const char setting[] = "quality.dead_letter_dir";
    const char *folder = t->config->quality.dead_letter_dir;
    char parent[4200];
    struct stat st;
    if (!folder)
        return;
    if (stat(folder, &st) == 0) {
        if (!S_ISDIR(st.st_mode))
            tell_errno(t, setting, folder, ENOTDIR, true);
        else if (access(folder, R_OK | W_OK | X_OK) != 0)
            tell_errno(t, setting, folder, errno, true);
        else
            check_room(t, setting, folder);
        return;
    }
    if (errno != ENOENT) {
        tell_errno(t, setting, folder, errno, true);
        return;
    }
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/')
        len--;
    while (len > 0 && folder[len - 1] != '/')
        len--;
    snprintf(parent, sizeof parent, "%.*s", len > 0 ? (int)len : 1, len > 0 ? folder : ".");
    if (access(parent, W_OK | X_OK) != 0)
        tell_errno(t, setting, parent, errno, true);
    else
        check_room(t, setting, parent);
}

static void check_keys(const struct teller *t)
{
    struct err err;
    struct auth *auth = auth_new(t->config, &err);
    if (!auth)
        t->tell(t->ctx, NAMED_STOPS, "auth.jwt.public_key_file", err.text, NULL);
    auth_free(auth);
}

/* Whether this program can do what redis.url asks for, and its files. */
static void check_bus(const struct teller *t)
{
    const struct bus_options options = gateway_bus_options(t->config);
    struct err err;
    if (bus_check(&options, &err) != 0)
        t->tell(t->ctx, NAMED_STOPS, "redis", err.text, NULL);
}

/* The calendars of the exchanges: time zones, and lists of holidays. */
static void check_exchanges(const struct teller *t)
{
    struct buf problems = {0};
    struct err err;
    struct exchanges *x = exchanges_new(t->config, &problems);
    for (char *p = problems.p; p && *p;) {
        size_t len = strcspn(p, "\n");
        bool more = p[len] == '\n';
        p[len] = '\0';
        t->tell(t->ctx, NAMED_STOPS, "exchanges", p, NULL);
        p += len + more;
    }
    buf_fini(&problems);
    const char *name;
    for (size_t at = 0; x && (name = exchanges_run_out(x, t->wall_ms, &at));) {
        err_set(&err, "exchange %s: its list of holidays has no day that is still to come", name);
        t->tell(t->ctx, NAMED_NOTE, "exchanges", err.text, "write the coming year's into the file");
    }
    exchanges_free(x);
}

/* --- all of them --- */

static const struct {
    void (*check)(const struct teller *t);
    bool may_go_on; /* something in it does not stop a start */
} checks[] = {
    {check_certificate,  true },
    {check_web_root,     true },
    {check_keys,         false},
    {check_bus,          false},
    {check_exchanges,    false},
    {check_dead_letters, true },
};

void named_files_check(const struct config *c, int64_t wall_ms, named_files_tell *tell, void *ctx)
{
    const struct teller t = {c, wall_ms, tell, ctx};
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        checks[i].check(&t);
}

static void write_line(void *ctx, enum named_files_kind kind, const char *setting,
                       const char *sentence, const char *advice)
{
    (void)ctx;
    if (kind != NAMED_STOPS) /* that says so itself, and ends it */
        log_event(LOG_WARN, "file_warning", "setting=%s why=%s advice=%s", setting, sentence,
                  advice);
}

void named_files_log(const struct config *c, int64_t wall_ms)
{
    const struct teller t = {c, wall_ms, write_line, NULL};
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (checks[i].may_go_on)
            checks[i].check(&t);
}
