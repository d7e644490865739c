/* curl speaks SMTP, doubles the dots at the beginnings of lines, and looks for a way to log in that
 * both sides know. Each mail has a thread of the loop's pool to itself, because curl says good-bye
 * to a mail server by waiting for its answer, whoever else may be waiting: on the loop, a server
 * that does not answer would hold up everybody (7.88.1, smtp_disconnect()). curl's progress
 * callback ends it when it was cancelled or has taken too long, good-bye included.
 *
 *   mailer_send() ──► thread: talk() ──► loop: on_talked() ──► done()
 *
 * The thread touches nothing but its job, and of that the loop only `stop` until it is back.
 *
 * What the server says is never passed on: one that does not understand a command may quote it, and
 * the command may have been the password. Its three digits say enough.
 *
 * Who will refuse for good is not asked again: a login that is repeated gets an account locked. */
#include "mailer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer.h"

static const int64_t TIMEOUT_MS = 20000; /* some servers let strangers wait before they greet */
static const uint64_t GOODBYE_MS = 2000;

#if LIBCURL_VERSION_NUM >= 0x080200
#define ALLOW_REFUSED CURLOPT_MAIL_RCPT_ALLOWFAILS
#else
#define ALLOW_REFUSED CURLOPT_MAIL_RCPT_ALLLOWFAILS
#endif

struct mailer_job {
    uv_work_t work; /* first: the handle is found by its address */
    struct mailer *m;
    struct mailer_job *prev, *next;
    atomic_bool stop;
    uint64_t end_ns;
    CURL *easy;
    CURLcode code;
    struct curl_slist *to;
    size_t to_len, to_refused;
    bool asks_for_one; /* whether it takes a recipient: the last command was that */
    char *bytes;
    size_t len, sent;
    mailer_done *done; /* NULL: it was cancelled */
    void *ctx;
    char words[CURL_ERROR_SIZE];
};

struct mailer {
    uv_loop_t *loop;
    struct transfer_setup setup;
    struct mailer_job *jobs; /* cancelled ones, too, until their thread is back */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* --- in the thread --- */

static size_t on_read(char *out, size_t size, size_t n, void *arg)
{
    struct mailer_job *job = arg;
    size_t left = job->len - job->sent, take = size * n < left ? size * n : left;
    memcpy(out, job->bytes + job->sent, take);
    job->sent += take;
    return take;
}

/* Without a function curl writes what a server says to stdout. */
static size_t on_write(char *p, size_t size, size_t n, void *arg)
{
    (void)p, (void)arg;
    return size * n;
}

/* One recipient who is gone must not keep the mail from the others; curl, told so, forgets him. */
static int on_word(CURL *easy, curl_infotype type, char *p, size_t len, void *arg)
{
    struct mailer_job *job = arg;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        job->asks_for_one = len > 5 && memcmp(p, "RCPT ", 5) == 0;
    else if (type == CURLINFO_HEADER_IN && job->asks_for_one && len > 3)
        job->to_refused += (p[0] == '4' || p[0] == '5') && p[3] != '-';
    return 0;
}

static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up)
{
    struct mailer_job *job = arg;
    (void)down_all, (void)down, (void)up_all, (void)up;
    return atomic_load(&job->stop) || uv_hrtime() > job->end_ns;
}

static void talk(uv_work_t *work)
{
    struct mailer_job *job = (struct mailer_job *)work;
    job->end_ns = uv_hrtime() + ((uint64_t)TIMEOUT_MS + GOODBYE_MS) * 1000000;
    job->code = curl_easy_perform(job->easy);
}

/* --- the end of a job --- */

static void free_job(struct mailer_job *job)
{
    if (job->easy)
        curl_easy_cleanup(job->easy); /* of a connection that is closed: it waits for nobody */
    curl_slist_free_all(job->to);
    free(job->bytes);
    free(job);
}

static void unlink_job(struct mailer_job *job)
{
    if (job->m->jobs == job)
        job->m->jobs = job->next;
    if (job->prev)
        job->prev->next = job->next;
    if (job->next)
        job->next->prev = job->prev;
}

static enum mailer_end explain(struct mailer_job *job, enum failure *failure, struct err *why)
{
    if (job->code == CURLE_OK) {
        if (job->to_refused > 0) {
            *failure = FAIL_UPSTREAM_ERROR;
            err_set(why, "sent, but the server refused %zu of %zu recipients", job->to_refused,
                    job->to_len);
        }
        return MAILER_SENT;
    }
    long reply = 0;
    CURLcode code = job->code;
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &reply);
    if (code == CURLE_OPERATION_TIMEDOUT && reply > 0) { /* so the address was right */
        err_set(why, "the server fell silent after its answer %ld", reply);
        *failure = FAIL_UPSTREAM_ERROR;
        return MAILER_AGAIN;
    }
    *failure = transfer_explain(job->easy, code, job->words, why);
    if (*failure != FAIL_NONE)
        return MAILER_AGAIN;
    *failure = code == CURLE_LOGIN_DENIED     ? FAIL_AUTH
               : code == CURLE_USE_SSL_FAILED ? FAIL_TLS
                                              : FAIL_UPSTREAM_ERROR;
    if (code == CURLE_LOGIN_DENIED)
        err_set(why, "the server refused the login (%ld)", reply);
    else if (code == CURLE_USE_SSL_FAILED)
        err_set(why, "the server does not offer STARTTLS (%ld)", reply);
    else if (reply >= 400 && reply < 600)
        err_set(why, "the server refused the mail (%ld)", reply);
    else
        err_set(why, "%s", curl_easy_strerror(code));
    bool later = reply >= 400 && reply < 500;
    bool final = reply >= 500 || code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED;
    return final && !later ? MAILER_REFUSED : MAILER_AGAIN;
}

static void close_if_empty(struct mailer *m)
{
    if (!m->closing || m->jobs)
        return;
    void (*closed)(void *ctx) = m->closed;
    void *ctx = m->closed_ctx;
    transfer_setup_fini(&m->setup);
    free(m);
    closed(ctx);
}

static void on_talked(uv_work_t *work, int status)
{
    struct mailer_job *job = (struct mailer_job *)work;
    struct mailer *m = job->m;
    struct err why = {""};
    enum failure failure = FAIL_NONE;
    (void)status; /* it never began: then it was cancelled */
    unlink_job(job);
    if (job->done) {
        enum mailer_end end = explain(job, &failure, &why);
        job->done(job->ctx, end, failure, why.text);
    }
    free_job(job);
    close_if_empty(m);
}

void mailer_cancel(struct mailer_job *job)
{
    job->done = NULL;
    atomic_store(&job->stop, true);
    uv_cancel((uv_req_t *)&job->work); /* where no thread has it yet */
}

/* --- begin --- */

struct mailer *mailer_new(uv_loop_t *loop, struct err *err)
{
    struct mailer *m = calloc(1, sizeof *m);
    err_set(err, "out of memory");
    if (!m || transfer_setup_init(&m->setup, err) != 0) {
        free(m);
        return NULL;
    }
    m->loop = loop;
    return m;
}

static int add_recipients(struct mailer_job *job, const struct mailer_envelope *to)
{
    for (size_t i = 0; i < to->to_len; i++) {
        struct curl_slist *more = curl_slist_append(job->to, to->to[i]);
        if (!more)
            return -1;
        job->to = more;
        job->to_len++;
    }
    return 0;
}

static int set_options(struct mailer_job *job, const struct mailer_envelope *to)
{
    CURL *e = job->easy;
    bool plain = strncmp(to->url, "smtp://", 7) == 0;
    long tls = plain && to->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE;
    bool failed = curl_easy_setopt(e, CURLOPT_URL, to->url) != CURLE_OK ||
                  curl_easy_setopt(e, CURLOPT_MAIL_FROM, to->from) != CURLE_OK;
    if (to->user)
        failed = failed || curl_easy_setopt(e, CURLOPT_USERNAME, to->user) != CURLE_OK ||
                 curl_easy_setopt(e, CURLOPT_PASSWORD, to->password) != CURLE_OK;
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, plain ? "smtp" : "smtps");
    curl_easy_setopt(e, CURLOPT_USE_SSL, tls);
    curl_easy_setopt(e, CURLOPT_MAIL_RCPT, job->to);
    curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(e, CURLOPT_READDATA, job);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, job);
    curl_easy_setopt(e, ALLOW_REFUSED, 1L);
    curl_easy_setopt(e, CURLOPT_VERBOSE, 1L); /* to on_word(), which keeps nothing of it */
    curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_word);
    curl_easy_setopt(e, CURLOPT_DEBUGDATA, job);
    curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L); /* good-bye is said in the thread */
    return failed ? -1 : 0;
}

struct mailer_job *mailer_send(struct mailer *m, const struct mailer_envelope *to,
                               const char *bytes, size_t len, mailer_done *done, void *ctx)
{
    REQUIRE(!m->closing);
    struct mailer_job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->m = m;
    job->done = done;
    job->ctx = ctx;
    job->len = len;
    job->bytes = malloc(len + 1);
    job->easy = transfer_new(&m->setup, TIMEOUT_MS, job->words);
    if (!job->bytes || !job->easy || add_recipients(job, to) != 0 || set_options(job, to) != 0)
        goto no_memory;
    memcpy(job->bytes, bytes, len);
    if (uv_queue_work(m->loop, &job->work, talk, on_talked) != 0)
        goto no_memory;
    job->next = m->jobs;
    if (m->jobs)
        m->jobs->prev = job;
    m->jobs = job;
    return job;
no_memory:
    free_job(job);
    return NULL;
}

/* --- end --- */

void mailer_close(struct mailer *m, void (*done)(void *ctx), void *ctx)
{
    m->closing = true;
    m->closed = done;
    m->closed_ctx = ctx;
    for (struct mailer_job *job = m->jobs; job; job = job->next)
        mailer_cancel(job);
    close_if_empty(m);
}
