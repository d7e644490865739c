/* curl's multi interface on the uv loop.
 *
 *   curl --socket callback--> watcher (uv_poll) --readable/writable--> curl_multi_socket_action
 *   curl --timer callback---> f->timer          --expired-----------/          |
 *                                                                              v
 *                                   finish(): CURLMSG_DONE -> job removed -> its done()
 *
 * Rules that keep this right:
 *   - inside a curl callback no function of curl is called but curl_multi_assign, which is made for
 *     it. done() runs only from finish(), after curl_multi_socket_action has returned, so that it
 *     may start and cancel jobs.
 *   - the body is capped in the write callback: CURLOPT_MAXFILESIZE does not stop a gzip bomb or a
 *     chunked body (7.88.1). Returning less than was offered ends the transfer at once.
 *   - curl passes a CR or LF in a header value on as it is: requests with control characters are
 *     refused.
 *   - the socket callback never says that it failed. The multi handle would be dead by that: curl
 *     sets no timer any more and takes no transfer while an old one lives, so that they would wait
 *     for each other for ever (7.88.1). The one job ends instead, from finish().
 *   - CURLOPT_PIPEWAIT stays off: with it a request waits behind one that hangs, until it is known
 *     whether their connection could be shared. */
#include "fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "clock.h"
#include "http_head.h"
#include "transfer.h"

struct watcher {
    uv_poll_t poll; /* first: the handle is freed by its address */
    struct fetch *f;
    curl_socket_t fd;
};

struct fetch_job {
    struct fetch *f;
    struct fetch_job *prev, *next;
    CURL *easy;
    struct curl_slist *headers;
    fetch_done *done;
    void *ctx;
    struct buf body;
    size_t body_max, header_max, header_bytes;
    const char *over;       /* what grew over its cap; NULL = nothing */
    struct address private; /* where it would have gone, and may not */
    bool refused;
    bool unwatched;           /* no memory to watch its socket with */
    bool status_only, enough; /* enough: its head was there, and ended it */
    struct http_head head;
    char error[CURL_ERROR_SIZE];
};

struct fetch {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    struct fetch_job *jobs;
    struct transfer_setup setup;
    int handles; /* open uv handles: the timer and the watchers */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* --- what curl tells us: bytes --- */

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct fetch_job *job = arg;
    if (n * size > job->body_max - job->body.len) {
        job->over = "body";
        return 0;
    }
    buf_add(&job->body, p, n * size);
    return job->body.failed ? 0 : n * size;
}

/* Is this the line behind the last header, and not of an interim answer? */
static bool ends_head(const struct fetch_job *job, const char *p, size_t len)
{
    long status = 0;
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && len > 0 && (p[0] == '\r' || p[0] == '\n');
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct fetch_job *job = arg;
    job->header_bytes += n * size;
    if (job->header_bytes > job->header_max) {
        job->over = "headers";
        return 0;
    }
    http_head_line(&job->head, p, n * size, clock_wall_ms() / 1000);
    if (job->status_only && ends_head(job, p, n * size)) {
        job->enough = true;
        return 0;
    }
    return n * size;
}

/* Instead of curl's own socket(): the name is looked up, and nothing was sent yet. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct fetch_job *job = arg;
    struct address a = address_of_socket(&to->addr);
    (void)purpose;
    if (!address_is_public(&a)) {
        job->private = a;
        job->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* --- the end of a job --- */

static void unlink_job(struct fetch_job *job)
{
    struct fetch *f = job->f;
    if (f->jobs == job)
        f->jobs = job->next;
    if (job->prev)
        job->prev->next = job->next;
    if (job->next)
        job->next->prev = job->prev;
}

static void free_job(struct fetch_job *job)
{
    if (job->easy)
        curl_easy_cleanup(job->easy);
    curl_slist_free_all(job->headers);
    buf_fini(&job->body);
    free(job);
}

void fetch_cancel(struct fetch_job *job)
{
    unlink_job(job);
    curl_multi_remove_handle(job->f->multi, job->easy);
    free_job(job);
}

static enum failure explain(struct fetch_job *job, CURLcode code, struct err *detail)
{
    if (job->over) {
        err_set(detail, "answer given up: more than %zu bytes of %s",
                strcmp(job->over, "body") == 0 ? job->body_max : job->header_max, job->over);
        return FAIL_UPSTREAM_ERROR;
    }
    if (job->refused && code == CURLE_COULDNT_CONNECT) {
        char text[ADDRESS_TEXT_MAX];
        err_set(detail, "%s is no public address, and limits.upstream_public asks for one",
                address_format(&job->private, text));
        return FAIL_CONNECT;
    }
    if (job->unwatched) {
        err_set(detail, "out of memory");
        return FAIL_UPSTREAM_ERROR;
    }
    enum failure failure = transfer_explain(job->easy, code, job->error, detail);
    if (failure != FAIL_NONE)
        return failure;
    bool cut = code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
    if (cut && job->header_bytes == 0) {
        err_set(detail, "connection lost before an answer: %s", curl_easy_strerror(code));
        return FAIL_CONNECT;
    }
    err_set(detail, "answer broken off: %s", curl_easy_strerror(code));
    return FAIL_UPSTREAM_ERROR;
}

static void finish_job(struct fetch_job *job, CURLcode code)
{
    long status = 0;
    struct err detail = {""};
    enum failure failure = FAIL_NONE;

    if (code != CURLE_OK && !job->enough)
        failure = explain(job, code, &detail);
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(job->f->multi, job->easy);
    unlink_job(job);
    const struct http_reply reply = {
        .status = (int)status,
        .body = job->body.p ? job->body.p : "",
        .len = job->body.len,
        .retry_after_s = job->head.retry_after_s,
        .credits_used = job->head.credits_used,
        .credits_left = job->head.credits_left,
        .location = job->head.location[0] ? job->head.location : NULL,
        .etag = job->head.etag,
        .date_ms = job->head.date_ms,
    };
    job->done(job->ctx, failure == FAIL_NONE ? &reply : NULL, failure, detail.text);
    free_job(job);
}

static struct fetch_job *find_unwatched(const struct fetch *f)
{
    struct fetch_job *job = f->jobs;
    while (job && !job->unwatched)
        job = job->next;
    return job;
}

static void finish(struct fetch *f)
{
    struct fetch_job *job;
    CURLMsg *msg;
    int left;
    while (!f->closing && (msg = curl_multi_info_read(f->multi, &left)) != NULL) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        job = NULL;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&job);
        finish_job(job, msg->data.result);
    }
    while (!f->closing && (job = find_unwatched(f)) != NULL)
        finish_job(job, CURLE_OUT_OF_MEMORY);
}

/* --- sockets and time --- */

static void free_if_closed(struct fetch *f)
{
    if (f->handles > 0)
        return;
    void (*closed)(void *ctx) = f->closed;
    void *ctx = f->closed_ctx;
    transfer_setup_fini(&f->setup);
    free(f);
    if (closed)
        closed(ctx);
}

static void on_watcher_closed(uv_handle_t *h)
{
    struct watcher *w = h->data;
    struct fetch *f = w->f;
    free(w);
    f->handles--;
    free_if_closed(f);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct fetch *f = h->data;
    f->handles--;
    free_if_closed(f);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    const struct watcher *w = poll->data;
    struct fetch *f = w->f;
    int running, flags = 0;
    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(f->multi, w->fd, flags, &running);
    finish(f);
}

static struct watcher *watcher_new(struct fetch *f, curl_socket_t fd)
{
    struct watcher *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    if (uv_poll_init_socket(f->loop, &w->poll, fd) != 0) {
        free(w);
        return NULL;
    }
    w->poll.data = w;
    w->f = f;
    w->fd = fd;
    f->handles++;
    return w;
}

static void mark_unwatched(struct fetch *f, const CURL *easy)
{
    for (struct fetch_job *job = f->jobs; job; job = job->next)
        if (job->easy == easy)
            job->unwatched = true;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct fetch *f = arg;
    struct watcher *w = socket_arg;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_watcher_closed);
            curl_multi_assign(f->multi, fd, NULL);
        }
        return 0;
    }
    if (!w) {
        w = watcher_new(f, fd);
        if (!w) {
            mark_unwatched(f, easy);
            return 0;
        }
        curl_multi_assign(f->multi, fd, w);
    }
    int events = 0;
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    if (uv_poll_start(&w->poll, events, on_ready) != 0)
        mark_unwatched(f, easy);
    return 0;
}

static void on_time(uv_timer_t *timer)
{
    struct fetch *f = timer->data;
    int running;
    curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish(f);
}

static int on_timer_wish(CURLM *multi, long timeout_ms, void *arg)
{
    struct fetch *f = arg;
    (void)multi;
    if (timeout_ms < 0)
        return uv_timer_stop(&f->timer);
    /* The loop's idea of now may be old; a timer set by it would fire too early, again and again.
     */
    uv_update_time(f->loop);
    return uv_timer_start(&f->timer, on_time, (uint64_t)timeout_ms, 0);
}

/* --- begin --- */

struct fetch *fetch_new(uv_loop_t *loop, struct err *err)
{
    struct fetch *f = calloc(1, sizeof *f);
    err_set(err, "out of memory");
    if (!f || transfer_setup_init(&f->setup, err) != 0) {
        free(f);
        return NULL;
    }
    f->loop = loop;
    f->multi = curl_multi_init();
    if (!f->multi || uv_timer_init(loop, &f->timer) != 0) {
        curl_multi_cleanup(f->multi);
        transfer_setup_fini(&f->setup);
        free(f);
        return NULL;
    }
    f->timer.data = f;
    f->handles = 1;
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, 32L);
    curl_multi_setopt(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 8L);
    return f;
}

static int add_headers(struct fetch_job *job, const struct buf *headers, struct err *err)
{
    const char *p = headers->p, *end = p ? p + headers->len : p;
    while (p < end) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((eol ? eol : end) - p);
        char *line = strndup(p, len);
        struct curl_slist *more = line ? curl_slist_append(job->headers, line) : NULL;
        free(line);
        if (!more)
            return err_set(err, "out of memory");
        job->headers = more;
        p += len + 1;
    }
    return 0;
}

/* A body makes it a POST. */
static int set_body(struct fetch_job *job, const struct buf *body)
{
    if (body->len == 0)
        return 0;
    curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE, (long)body->len);
    return curl_easy_setopt(job->easy, CURLOPT_COPYPOSTFIELDS, body->p) == CURLE_OK ? 0 : -1;
}

static void set_options(struct fetch_job *job, const char *url)
{
    CURL *e = job->easy;
    bool plain = strncasecmp(url, "http://", 7) == 0;
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(e, CURLOPT_USERAGENT, "pricegate/" PRICEGATE_VERSION);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, job->headers);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, job);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, job);
    curl_easy_setopt(e, CURLOPT_PRIVATE, job);
}

struct fetch_job *fetch_start(struct fetch *f, const struct http_request *rq,
                              const struct fetch_limits *limits, fetch_done *done, void *ctx,
                              struct err *err)
{
    REQUIRE(!f->closing);
    if (http_request_check(rq, err) != 0)
        return NULL;
    struct fetch_job *job = calloc(1, sizeof *job);
    if (!job) {
        err_set(err, "out of memory");
        return NULL;
    }
    job->f = f;
    job->done = done;
    job->ctx = ctx;
    job->body_max = limits && limits->body_max ? limits->body_max : FETCH_BODY_MAX;
    job->header_max = limits && limits->header_max ? limits->header_max : FETCH_HEADER_MAX;
    job->status_only = limits && limits->status_only;
    http_head_init(&job->head);
    job->easy = transfer_new(&f->setup,
                             limits && limits->timeout_ms ? limits->timeout_ms : FETCH_TIMEOUT_MS,
                             job->error);
    if (!job->easy || add_headers(job, &rq->headers, err) != 0 || set_body(job, &rq->body) != 0) {
        err_set(err, "out of memory");
        free_job(job);
        return NULL;
    }
    if (rq->unix_path)
        curl_easy_setopt(job->easy, CURLOPT_UNIX_SOCKET_PATH, rq->unix_path);
    if (limits && limits->public_only) {
        curl_easy_setopt(job->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
        curl_easy_setopt(job->easy, CURLOPT_OPENSOCKETDATA, job);
    }
    set_options(job, rq->url.p);
    job->next = f->jobs;
    if (f->jobs)
        f->jobs->prev = job;
    f->jobs = job;
    if (curl_multi_add_handle(f->multi, job->easy) != CURLM_OK) {
        err_set(err, "out of memory");
        unlink_job(job);
        free_job(job);
        return NULL;
    }
    return job;
}

void fetch_library(struct library *out)
{
    out->name = "libcurl";
    snprintf(out->built, sizeof out->built, "%s", LIBCURL_VERSION);
    snprintf(out->runs, sizeof out->runs, "%s", curl_version_info(CURLVERSION_NOW)->version);
}

/* --- end --- */

void fetch_close(struct fetch *f, void (*done)(void *ctx), void *ctx)
{
    f->closing = true;
    f->closed = done;
    f->closed_ctx = ctx;
    for (struct fetch_job *job = f->jobs, *next; job; job = next) {
        next = job->next;
        fetch_cancel(job);
    }
    curl_multi_cleanup(f->multi); /* removes the watchers of idle connections, too */
    f->multi = NULL;
    uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}
