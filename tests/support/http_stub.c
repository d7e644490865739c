#include "http_stub.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUEST_MAX 8192

struct shared {
    atomic_flag locked; /* while a rule is written or copied */
    struct stub_rule rules[STUB_RULES];
    atomic_uint count;
    char seen[STUB_SEEN][REQUEST_MAX];
};

struct http_stub {
    struct shared *shared;
    pid_t pid;
    int port;
};

struct wire {
    int fd;
    SSL *ssl;
};

static ssize_t wire_read(const struct wire *w, void *p, size_t n)
{
    return w->ssl ? SSL_read(w->ssl, p, (int)n) : read(w->fd, p, n);
}

static bool wire_write(const struct wire *w, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t k = w->ssl ? SSL_write(w->ssl, at, (int)(n > 16384 ? 16384 : n))
                           : send(w->fd, at, n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void lock(struct shared *s)
{
    while (atomic_flag_test_and_set(&s->locked))
        sched_yield();
}

static void unlock(struct shared *s)
{
    atomic_flag_clear(&s->locked);
}

/* Copies what answers the request; false: no rule does. */
static bool rule_for(struct shared *s, const char *request, struct stub_rule *out)
{
    bool found = false;
    char line[1024];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(request, "\r\n"), request);
    lock(s);
    for (int i = 0; i < STUB_RULES && !found; i++)
        if (s->rules[i].match[0] && strstr(line, s->rules[i].match)) {
            memcpy(out, &s->rules[i], offsetof(struct stub_rule, body) + s->rules[i].body_len);
            found = true;
        }
    unlock(s);
    return found;
}

static bool write_head(const struct wire *w, const struct stub_rule *r, const char *length)
{
    char head[512];
    int n =
        snprintf(head, sizeof head, "HTTP/1.1 %d Stub\r\nContent-Type: application/json\r\n%s\r\n",
                 r->status, length);
    size_t tail = strlen(r->headers);
    return wire_write(w, head, (size_t)n) && wire_write(w, r->headers, tail) &&
           wire_write(w, "\r\n", 2);
}

static void reset_connection(const struct wire *w)
{
    struct linger hard = {1, 0};
    setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

/* True: the connection goes on. */
static bool answer(const struct wire *w, const struct stub_rule *r)
{
    static const char none[] =
        "HTTP/1.1 404 Stub\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nno";
    char length[64];
    if (!r)
        return wire_write(w, none, sizeof none - 1);
    snprintf(length, sizeof length, "Content-Length: %zu", r->body_len);
    switch (r->how) {
    case STUB_ANSWER:
        return write_head(w, r, length) && wire_write(w, r->body, r->body_len);
    case STUB_HANG:
        pause_ms(60000);
        return false;
    case STUB_CLOSE:
        return false;
    case STUB_DRIP:
        for (size_t i = write_head(w, r, length) ? 0 : r->body_len; i < r->body_len; i++) {
            if (!wire_write(w, r->body + i, 1))
                return false;
            pause_ms(20);
        }
        return true;
    case STUB_RESET:
        if (write_head(w, r, length) && wire_write(w, r->body, r->body_len / 2))
            pause_ms(50);
        reset_connection(w);
        return false;
    case STUB_CHUNKED:
        snprintf(length, sizeof length, "%zx\r\n", r->body_len);
        if (!write_head(w, r, "Transfer-Encoding: chunked"))
            return false;
        while (wire_write(w, length, strlen(length)) && wire_write(w, r->body, r->body_len) &&
               wire_write(w, "\r\n", 2))
            ;
        return false;
    }
    return false;
}

/* Bytes of the request that text begins with, its body included; 0: they are not all there. */
static size_t request_len(const char *text, size_t len)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *header = strcasestr(text, "\r\nContent-Length:");
    if (!end)
        return 0;
    size_t total = (size_t)(end + 4 - text);
    if (header && header < end)
        total += strtoul(header + 17, NULL, 10);
    return total <= len ? total : 0;
}

static void serve(struct shared *s, const struct wire *w)
{
    static struct stub_rule rule; /* of this process */
    char request[REQUEST_MAX];
    size_t len = 0;
    bool go_on = true;
    while (go_on) {
        size_t total;
        request[len] = '\0';
        while ((total = request_len(request, len)) == 0) {
            ssize_t n = wire_read(w, request + len, sizeof request - 1 - len);
            if (n <= 0)
                return;
            len += (size_t)n;
            request[len] = '\0';
        }
        unsigned k = atomic_load(&s->count);
        memcpy(s->seen[k % STUB_SEEN], request, total);
        s->seen[k % STUB_SEEN][total] = '\0';
        atomic_fetch_add(&s->count, 1);
        go_on = answer(w, rule_for(s, request, &rule) ? &rule : NULL);
        len -= total;
        memmove(request, request + total, len);
    }
}

static _Noreturn void connection_child(struct shared *s, pid_t server, int fd, SSL_CTX *tls)
{
    struct wire w = {fd, NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != server)
        _exit(0); /* it was killed before we asked to die with it */
    if (tls) {
        w.ssl = SSL_new(tls);
        SSL_set_fd(w.ssl, fd);
        if (SSL_accept(w.ssl) != 1)
            _exit(0);
    }
    serve(s, &w);
    if (w.ssl)
        SSL_shutdown(w.ssl);
    close(fd);
    _exit(0);
}

static _Noreturn void server_child(struct shared *s, int listener, SSL_CTX *tls)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        pid_t server = getpid();
        if (fork() == 0)
            connection_child(s, server, fd, tls);
        close(fd);
    }
}

static int listen_free_port(int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static SSL_CTX *make_tls(const char *cert, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    assert_non_null(tls);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(tls, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM), 1);
    return tls;
}

struct http_stub *http_stub_new(const char *cert, const char *key)
{
    struct http_stub *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->shared =
        mmap(NULL, sizeof *s->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s->shared != MAP_FAILED);
    SSL_CTX *tls = cert ? make_tls(cert, key) : NULL;
    int listener = listen_free_port(&s->port);
    fflush(NULL);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0)
        server_child(s->shared, listener, tls);
    close(listener);
    SSL_CTX_free(tls);
    return s;
}

void http_stub_free(struct http_stub *s)
{
    kill(s->pid, SIGKILL); /* the connections' processes die with it */
    waitpid(s->pid, NULL, 0);
    munmap(s->shared, sizeof *s->shared);
    free(s);
}

int http_stub_port(const struct http_stub *s)
{
    return s->port;
}

struct stub_rule *http_stub_rule(struct http_stub *s, int i)
{
    return &s->shared->rules[i];
}

void http_stub_say(struct http_stub *s, int i, const char *match, int status, const char *body)
{
    struct stub_rule *r = &s->shared->rules[i];
    assert_true(strlen(body) < sizeof r->body);
    lock(s->shared);
    snprintf(r->match, sizeof r->match, "%s", match);
    r->how = STUB_ANSWER;
    r->status = status;
    r->headers[0] = '\0';
    r->body_len = strlen(body);
    memcpy(r->body, body, r->body_len);
    unlock(s->shared);
}

void http_stub_clear(struct http_stub *s)
{
    for (int i = 0; i < STUB_RULES; i++)
        s->shared->rules[i].match[0] = '\0';
    atomic_store(&s->shared->count, 0);
}

unsigned http_stub_count(const struct http_stub *s)
{
    return atomic_load(&s->shared->count);
}

const char *http_stub_seen(const struct http_stub *s, unsigned k)
{
    return s->shared->seen[k % STUB_SEEN];
}

unsigned http_stub_seen_with(const struct http_stub *s, const char *text)
{
    unsigned n = 0, count = http_stub_count(s);
    for (unsigned k = count > STUB_SEEN ? count - STUB_SEEN : 0; k < count; k++)
        n += strstr(http_stub_seen(s, k), text) != NULL;
    return n;
}

static void run(const char *folder, const char *command)
{
    char line[1024];
    snprintf(line, sizeof line, "cd '%s' && { %s; } >/dev/null 2>&1", folder, command);
    assert_int_equal(system(line), 0);
}

static void make_cert(const char *folder, const char *name, const char *san)
{
    char command[768];
    snprintf(
        command, sizeof command,
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s.key -out "
        "%s.csr -subj /CN=%s && printf 'subjectAltName=%s\\n' > %s.ext && openssl x509 -req -in "
        "%s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile %s.ext -out %s.pem",
        name, name, name, san, name, name, name, name);
    run(folder, command);
}

void http_stub_make_certs(const char *folder)
{
    run(folder, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
                "ca.key -out ca.pem -days 2 -subj /CN=stub-ca");
    make_cert(folder, "good", "IP:127.0.0.1");
    make_cert(folder, "other", "DNS:elsewhere.example");
}
