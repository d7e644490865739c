/* The server behind TLS: what is spoken, and what a wrong certificate is told. The certificates
 * come from certs/make-certs. */
#include "server_rig.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

struct fixture {
    char folder[64];
    struct served server;
};

static struct fixture fix;

static void make_certs(const char *folder)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(1);
        execl("/bin/bash", "bash", SOURCE_DIR "/certs/make-certs", folder, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void write_config(char *out, size_t room, const char *cert, const char *key)
{
    snprintf(
        out, room,
        "{\"listen\":{\"port\":0,\"tls\":{\"cert\":\"%s/%s\",\"key\":\"%s/%s\"}}," RIG_INSTRUMENTS
        "}",
        fix.folder, cert, fix.folder, key);
}

static int start(void **state)
{
    char config[2048];
    snprintf(fix.folder, sizeof fix.folder, "/tmp/pricegate-tls-XXXXXX");
    assert_non_null(mkdtemp(fix.folder));
    make_certs(fix.folder);
    write_config(config, sizeof config, "server.pem", "server.key");
    fix.server = start_server(config);
    *state = &fix;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    static const char *const names[] = {"ca.pem", "ca.key", "server.pem", "server.key", "junk.pem"};
    stop_server(&fix.server);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", fix.folder, names[i]);
        unlink(path);
    }
    rmdir(fix.folder);
    return 0;
}

struct hello {
    int min, max; /* TLS versions offered, 0 = any */
    const char *ciphers;
    const char *host; /* name that the certificate must have */
    bool h2;          /* offers h2 first */
};

/* A verified connection, or NULL when the handshake fails. */
static SSL *connect_tls(const struct hello *h)
{
    static const unsigned char alpn[] = "\x02h2\x08http/1.1";
    char ca[256];
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(ctx);
    snprintf(ca, sizeof ca, "%s/ca.pem", fix.folder);
    assert_int_equal(SSL_CTX_load_verify_locations(ctx, ca, NULL), 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_security_level(ctx, 0); /* what is refused is refused by the server */
    if (h->max)
        SSL_CTX_set_max_proto_version(ctx, h->max);
    SSL_CTX_set_min_proto_version(ctx, h->min);
    if (h->ciphers)
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, h->ciphers), 1);
    if (h->h2)
        SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn - 1);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    assert_non_null(ssl);
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (h->host && h->host[0] >= '0' && h->host[0] <= '9')
        X509_VERIFY_PARAM_set1_ip_asc(param, h->host);
    else if (h->host)
        X509_VERIFY_PARAM_set1_host(param, h->host, 0);
    int fd = dial(fix.server.port);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1)
        return ssl;
    SSL_free(ssl);
    close(fd);
    return NULL;
}

static void disconnect(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

static void current_versions_are_spoken(void **state)
{
    (void)state;
    static const struct {
        struct hello hello;
        const char *version; /* NULL: refused */
    } cases[] = {
        {{.host = "localhost"},                                                   "TLSv1.3"},
        {{.host = "127.0.0.1"},                                                   "TLSv1.3"},
        {{.max = TLS1_2_VERSION, .host = "localhost"},                            "TLSv1.2"},
        {{.max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"},     "TLSv1.2"},
        {{.host = "other.example"},                                               NULL     },
        {{.min = TLS1_VERSION, .max = TLS1_1_VERSION},                            NULL     },
        {{.max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA:AES128-SHA"}, NULL     },
        {{.max = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256"},                 NULL     },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SSL *ssl = connect_tls(&cases[i].hello);
        if (!!ssl != !!cases[i].version)
            fail_msg("case %zu", i);
        if (!ssl)
            continue;
        assert_string_equal(SSL_get_version(ssl), cases[i].version);
        disconnect(ssl);
    }
}

static void http_1_1_is_chosen(void **state)
{
    (void)state;
    const unsigned char *name;
    unsigned len;
    SSL *ssl = connect_tls(&(struct hello){.host = "localhost", .h2 = true});
    assert_non_null(ssl);
    SSL_get0_alpn_selected(ssl, &name, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(name, "http/1.1", 8);
    disconnect(ssl);
}

static bool has(const struct buf *b, const char *part)
{
    return b->p && memmem(b->p, b->len, part, strlen(part));
}

/* Reads until `part` has come. */
static bool read_until(SSL *ssl, struct buf *b, const char *part)
{
    char piece[4096];
    int n;
    while (!has(b, part) && (n = SSL_read(ssl, piece, sizeof piece)) > 0)
        buf_add(b, piece, (size_t)n);
    return has(b, part);
}

static void requests_are_answered(void **state)
{
    (void)state;
    static const char request[] = "GET /api/v1/quotes/coffee HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct buf b = {0};
    SSL *ssl = connect_tls(&(struct hello){.host = "localhost"});
    assert_non_null(ssl);
    for (int i = 0; i < 2; i++) { /* the second on the same connection */
        buf_clear(&b);
        assert_int_equal(SSL_write(ssl, request, sizeof request - 1), (int)sizeof request - 1);
        assert_true(read_until(ssl, &b, "\"market\""));
        assert_non_null(strstr(b.p, "HTTP/1.1 200 OK"));
        assert_non_null(strstr(b.p, "Strict-Transport-Security: max-age="));
        assert_non_null(strstr(b.p, "\"price\":2.9430"));
    }
    disconnect(ssl);
    buf_fini(&b);
}

static void posts_are_answered(void **state)
{
    (void)state;
    static const char request[] =
        "POST /data-health/refresh-market HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct buf b = {0};
    SSL *ssl = connect_tls(&(struct hello){.host = "localhost"});
    assert_non_null(ssl);
    SSL_write(ssl, request, sizeof request - 1);
    assert_true(read_until(ssl, &b, "\"errors\":["));
    assert_non_null(strstr(b.p, "HTTP/1.1 200 OK"));
    disconnect(ssl);
    buf_fini(&b);
}

static void websockets_work_and_know_their_origin(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *answer;
    } cases[] = {
        {"https://localhost", "\"type\":\"welcome\""},
        {"http://localhost",  "HTTP/1.1 403"        }, /* a page that came in the clear */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char request[512];
        struct buf b = {0};
        SSL *ssl = connect_tls(&(struct hello){.host = "localhost"});
        assert_non_null(ssl);
        int n = snprintf(request, sizeof request,
                         "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                         "Sec-WebSocket-Version: 13\r\nOrigin: %s\r\n\r\n",
                         cases[i].origin);
        SSL_write(ssl, request, n);
        if (!read_until(ssl, &b, cases[i].answer))
            fail_msg("%s: %s", cases[i].origin, b.p ? b.p : "nothing");
        disconnect(ssl);
        buf_fini(&b);
    }
}

static void plain_http_is_not_answered(void **state)
{
    (void)state;
    struct reply r;
    int fd = dial(fix.server.port);
    send_text(fd, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_false(read_reply(fd, false, &r));
    close(fd);
    SSL *ssl = connect_tls(&(struct hello){.host = "localhost"});
    assert_non_null(ssl);
    disconnect(ssl);
}

/* A client that says nothing is let go, within the time for headers and some. */
static void a_silent_client_is_let_go(void **state)
{
    (void)state;
    int64_t begin_ms = clock_mono_ms();
    int fd = dial(fix.server.port);
    assert_true(read_end(fd));
    assert_true(clock_mono_ms() - begin_ms >= 3000);
    close(fd);
}

static void wrong_files_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *cert, *key, *says;
    } cases[] = {
        {"none.pem",   "server.key", "none.pem: No such file"                        },
        {"server.pem", "none.key",   "none.key: No such file"                        },
        {"server.pem", "ca.key",     "ca.key: this is not the key of the certificate"},
        {"junk.pem",   "server.key", "junk.pem: there is no certificate in PEM form" },
        {"server.pem", "junk.pem",   "junk.pem: there is no private key in PEM form" },
    };
    char path[256];
    snprintf(path, sizeof path, "%s/junk.pem", fix.folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("not a certificate\n", f);
    fclose(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char config[2048];
        struct child c = {0};
        struct err err = {""};
        write_config(config, sizeof config, cases[i].cert, cases[i].key);
        assert_int_equal(child_open(&c, config, &err), -1);
        if (!strstr(err.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].says);
        child_closed(&c);
        child_fini(&c);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(current_versions_are_spoken),
        cmocka_unit_test(http_1_1_is_chosen),
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(posts_are_answered),
        cmocka_unit_test(websockets_work_and_know_their_origin),
        cmocka_unit_test(plain_http_is_not_answered),
        cmocka_unit_test(a_silent_client_is_let_go),
        cmocka_unit_test(wrong_files_are_named),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
