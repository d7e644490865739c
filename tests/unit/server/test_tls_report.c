/* What is told of certificates, good and bad ones, made with openssl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attrs.h"
#include "clock.h"
#include "tls_report.h"

/* An authority, one between, and the server's: chain.pem has them in order, mixed.pem has not. */
static const char MAKE[] =
    "cd \"$1\" && exec >/dev/null 2>&1 && "
    "new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key "
    "-out $1.csr -subj \"/CN=$2\"; } && "
    "sign() { openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -out $1.pem "
    "-days 30 -extfile $1.ext; } && "
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key "
    "-out root.pem -days 30 -subj '/CN=Root' && "
    "new middle Middle && echo basicConstraints=CA:TRUE >middle.ext && sign middle root && "
    "new desk desk.example && echo "
    "subjectAltName=DNS:desk.example,DNS:*.desk.lan,IP:192.0.2.7,IP:::1 "
    ">desk.ext && sign desk middle && "
    "openssl x509 -req -in desk.csr -CA middle.pem -CAkey middle.key -CAcreateserial -out old.pem "
    "-days 0 -extfile desk.ext && cat middle.pem >>old.pem && "
    "cat desk.pem middle.pem root.pem >chain.pem && cat desk.pem root.pem middle.pem >mixed.pem && "
    "chmod 600 desk.key";

static char folder[64];

static int set_up(void **state)
{
    char command[128];
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/pricegate-report-XXXXXX");
    assert_non_null(mkdtemp(folder));
    setenv("MAKE_CERTS", MAKE, 1);
    snprintf(command, sizeof command, "bash -c \"$MAKE_CERTS\" make %s", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void report(const char *cert, const char *key, const char *host, struct tls_report *out)
{
    char files[2][128];
    snprintf(files[0], sizeof files[0], "%s/%s", folder, cert);
    snprintf(files[1], sizeof files[1], "%s/%s", folder, key);
    tls_report_make(files[0], files[1], host, out);
}

static void test_a_chain_in_order(void **state)
{
    struct tls_report r;
    int64_t now_ms = clock_wall_ms(), day_ms = 86400000;
    report("chain.pem", "desk.key", "desk.example", &r);
    assert_string_equal(r.unusable.text, "");
    assert_true(r.begins_ms <= now_ms && r.begins_ms > now_ms - day_ms);
    assert_true(r.ends_ms > now_ms + 29 * day_ms && r.ends_ms < now_ms + 31 * day_ms);
    assert_string_equal(r.names, "desk.example, *.desk.lan, 192.0.2.7, ::1");
    assert_string_equal(r.issuer, "Root");
    assert_int_equal(r.certificates, 3);
    assert_int_equal(r.stray, 0);
    assert_true(r.covers_host);
    assert_false(r.self_signed || r.is_trusted || r.key_is_open);
    (void)state;
}

static void test_an_authority_that_the_machine_knows(void **state)
{
    struct tls_report r;
    char root[128];
    snprintf(root, sizeof root, "%s/root.pem", folder);
    setenv("SSL_CERT_FILE", root, 1);
    report("chain.pem", "desk.key", "x", &r);
    assert_true(r.is_trusted);
    report("old.pem", "desk.key", "x", &r); /* that it has expired is told elsewhere */
    assert_true(r.is_trusted && r.ends_ms < clock_wall_ms());
    report("desk.pem", "desk.key", "x", &r); /* the one between is missing */
    assert_false(r.is_trusted);
    assert_string_equal(r.issuer, "Middle");
    unsetenv("SSL_CERT_FILE");
    (void)state;
}

static void test_which_hosts_it_is_for(void **state)
{
    static const struct {
        const char *host;
        bool covered;
    } cases[] = {
        {"desk.example",  true },
        {"a.desk.lan",    true },
        {"192.0.2.7",     true },
        {"0.0.0.0",       true },
        {"::",            true },
        {"::1",           true },
        {"127.0.0.1",     true },
        {"other.example", false},
        {"192.0.2.8",     false},
        {"a.b.desk.lan",  false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_report r;
        report("chain.pem", "desk.key", cases[i].host, &r);
        if (r.covers_host != cases[i].covered)
            fail_msg("%s", cases[i].host);
    }
    (void)state;
}

static void test_what_is_wrong(void **state)
{
    struct tls_report r;
    char key[128];
    report("mixed.pem", "desk.key", "x", &r);
    assert_int_equal(r.stray, 1);
    report("root.pem", "root.key", "x", &r);
    assert_true(r.self_signed);
    assert_string_equal(r.names, "");
    report("chain.pem", "root.key", "x", &r);
    assert_non_null(strstr(r.unusable.text, "this is not the key of the certificate"));
    report("none.pem", "desk.key", "x", &r);
    assert_non_null(strstr(r.unusable.text, "none.pem: No such file"));
    assert_int_equal(r.certificates, 0);
    snprintf(key, sizeof key, "%s/desk.key", folder);
    assert_int_equal(chmod(key, 0644), 0);
    report("chain.pem", "desk.key", "x", &r);
    assert_true(r.key_is_open);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_chain_in_order),
        cmocka_unit_test(test_an_authority_that_the_machine_knows),
        cmocka_unit_test(test_which_hosts_it_is_for),
        cmocka_unit_test(test_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
