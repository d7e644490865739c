/* What the doctor makes of the facts: each check on its good, its doubtful and its bad side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor.h"
#include "provider.h"

static const int64_t NOW_MS = 1767225600000; /* 2026-01-01 */
static const int64_t DAY_MS = 86400000;

/* Everything as it should be. */
struct patient {
    struct config config;
    struct config_provider providers[2];
    struct config_source source;
    struct instrument instrument;
    struct buf problems, warnings;
    struct doctor_facts facts;
};

static int set_up(void **state)
{
    struct patient *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->providers[0] = (struct config_provider){.name = "alpha", .enabled = true};
    p->providers[1] = (struct config_provider){.name = "beta", .enabled = true};
    p->source = (struct config_source){"alpha", 0, "KC1"};
    p->instrument =
        (struct instrument){.symbol = "coffee", .sources = &p->source, .sources_len = 1};
    struct config *c = &p->config;
    c->listen.host = "127.0.0.1";
    c->listen.port = 8080;
    c->listen.metrics_port = -1;
    c->listen.tls_cert = "desk.pem";
    c->listen.tls_key = "desk.key";
    c->feeds_enabled = true;
    c->redis.url = "redis://desk:6379";
    c->fanout.sndbuf_bytes = 131072;
    c->quality.dead_letter_dir = "/var/dlq";
    c->providers = p->providers;
    c->providers_len = 2;
    c->instruments = &p->instrument;
    c->instruments_len = c->quotes_len = 1;
    struct doctor_facts *f = &p->facts;
    f->origin = "desk.json";
    f->config = c;
    f->problems = &p->problems;
    f->warnings = &p->warnings;
    f->wall_ms = NOW_MS;
    f->main_port = (struct port_look){.wanted = true, .at = "127.0.0.1:8080"};
    f->tls = (struct tls_report){.begins_ms = NOW_MS - DAY_MS,
                                 .ends_ms = NOW_MS + 90 * DAY_MS,
                                 .names = "desk.example",
                                 .issuer = "An Authority",
                                 .covers_host = true,
                                 .certificates = 2,
                                 .is_trusted = true};
    f->machine = (struct machine){
        .files = 4096, .somaxconn = 4096, .wmem_max = 212992, .ntp = NTP_KEPT, .is_root = false};
    f->connections = 4000;
    f->redis = (struct bus_probe){.address = "desk:6379",
                                  .reached = true,
                                  .answered = true,
                                  .version = "7.0.15",
                                  .role = "master",
                                  .policy = "noeviction",
                                  .maxclients = 10000,
                                  .clients = 12,
                                  .pubsub_hard_bytes = 33554432,
                                  .pubsub_soft_bytes = 8388608,
                                  .pubsub_soft_s = 60,
                                  .used_bytes = 1000000,
                                  .has_clock = true,
                                  .unsure_ms = 3};
    f->asked_providers = true;
    f->tries[0] = (struct provider_try){.symbol = "KC1",
                                        .took_ms = 210,
                                        .date_ms = NOW_MS,
                                        .asked_ms = NOW_MS,
                                        .answered_ms = NOW_MS + 200};
    f->tries_len = 1;
    static const char *const names[LIBRARIES_LEN] = {[LIBRARY_WEBSOCKETS] = "libwebsockets",
                                                     [LIBRARY_HIREDIS] = "hiredis",
                                                     [LIBRARY_CURL] = "libcurl",
                                                     [LIBRARY_JANSSON] = "jansson",
                                                     [LIBRARY_OPENSSL] = "OpenSSL",
                                                     [LIBRARY_UV] = "libuv"};
    for (int i = 0; i < LIBRARIES_LEN; i++)
        f->libraries[i] = (struct library){names[i], "9.1.0", "9.1.0"};
    f->has_event_library = true;
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct patient *p = *state;
    buf_fini(&p->problems);
    buf_fini(&p->warnings);
    free(p);
    return 0;
}

/* --- what is found --- */

/* The finding of this check with the words in its message or advice; fails when there is none. */
static void expect(const struct doctor_facts *f, const char *check, enum finding_state state,
                   const char *words)
{
    struct findings found = {0};
    struct buf said = {0};
    bool is_there = false;
    doctor_judge(f, &found);
    assert_false(found.failed);
    for (size_t i = 0; i < found.len; i++) {
        const struct finding *one = &found.list[i];
        if (strcmp(one->check, check) != 0)
            continue;
        buf_addf(&said, "%s: %s -> %s\n", finding_state_name(one->state), one->message,
                 one->advice ? one->advice : "-");
        is_there = is_there ||
                   (one->state == state &&
                    (strstr(one->message, words) || (one->advice && strstr(one->advice, words))));
    }
    if (!is_there)
        fail_msg("%s does not say \"%s\" (%s), but:\n%s", check, words, finding_state_name(state),
                 said.p ? said.p : "nothing");
    buf_fini(&said);
    findings_fini(&found);
}

static void expect_silence(const struct doctor_facts *f, const char *group)
{
    struct findings found = {0};
    doctor_judge(f, &found);
    for (size_t i = 0; i < found.len; i++)
        if (strncmp(found.list[i].check, group, strlen(group)) == 0)
            fail_msg("%s says %s", found.list[i].check, found.list[i].message);
    findings_fini(&found);
}

static void test_all_is_well(void **state)
{
    const struct patient *p = *state;
    struct findings found = {0};
    doctor_judge(&p->facts, &found);
    for (size_t i = 0; i < found.len; i++)
        if (found.list[i].state != FINDING_OK)
            fail_msg("%s: %s", found.list[i].check, found.list[i].message);
    assert_int_equal(findings_worst(&found), FINDING_OK);
    assert_true(found.len >= 20);
    findings_fini(&found);
}

static void test_a_wrong_configuration_is_told_line_by_line(void **state)
{
    struct patient *p = *state;
    p->facts.config = NULL;
    buf_adds(&p->problems, "listen.port: must be a number\norigins[0]: is empty\n");
    buf_adds(&p->warnings, "PRICEGATE_LISTEN_PROT: no such setting\n");
    expect(&p->facts, "config.valid", FINDING_PROBLEM, "desk.json: listen.port: must be a number");
    expect(&p->facts, "config.valid", FINDING_PROBLEM, "desk.json: origins[0]: is empty");
    expect(&p->facts, "config.environment", FINDING_WARNING, "PRICEGATE_LISTEN_PROT");
    expect(&p->facts, "machine.files", FINDING_OK, "4096");
    expect(&p->facts, "libraries.event_loop", FINDING_OK, "libuv");
    expect_silence(&p->facts, "redis");
    expect_silence(&p->facts, "listen");
}

static void add_file(struct doctor_facts *f, enum named_files_kind kind, char *setting,
                     char *sentence, char *advice)
{
    f->files[f->files_len++] = (struct doctor_file){kind, setting, sentence, advice};
}

static void test_files_are_told_where_they_belong(void **state)
{
    struct patient *p = *state;
    char web[] = "listen.web_root", lost[] = "/x/index.html: No such file", put[] = "put it there";
    char dlq[] = "quality.dead_letter_dir", full[] = "less than 16 MB left";
    char days[] = "exchanges", out[] = "no day that is still to come";
    expect(&p->facts, "config.files", FINDING_OK, "every file");
    expect(&p->facts, "config.dead_letters", FINDING_OK, "/var/dlq can be written to");
    add_file(&p->facts, NAMED_SPOILS, web, lost, put);
    add_file(&p->facts, NAMED_NOTE, dlq, full, NULL);
    add_file(&p->facts, NAMED_NOTE, days, out, NULL);
    expect(&p->facts, "config.files", FINDING_PROBLEM, "put it there");
    expect(&p->facts, "config.files", FINDING_WARNING, "still to come");
    expect(&p->facts, "config.dead_letters", FINDING_WARNING, "16 MB");
    p->facts.files_len = 0;
    p->config.quality.dead_letter_dir = NULL;
    expect_silence(&p->facts, "config.dead_letters");
}

static void test_ports(void **state)
{
    struct patient *p = *state;
    struct port_look *port = &p->facts.main_port;
    expect(&p->facts, "listen.port", FINDING_OK, "127.0.0.1:8080 can be had");
    err_set(&port->taken, "127.0.0.1:8080: address in use");
    expect(&p->facts, "listen.port", FINDING_PROBLEM, "address in use");
    port->holder = (struct machine_holder){true, 812, "nginx"};
    expect(&p->facts, "listen.port", FINDING_PROBLEM, "is taken by nginx (pid 812)");
    expect(&p->facts, "listen.port", FINDING_PROBLEM, "another listen.port");
    port->is_pricegate = true;
    expect(&p->facts, "listen.port", FINDING_OK, "a running pricegate (pid 812)");
    port->holder.found = false;
    expect(&p->facts, "listen.port", FINDING_OK, "served by a running pricegate");
    port->wanted = false;
    expect_silence(&p->facts, "listen");
    p->facts.metrics_port = (struct port_look){
        .wanted = true,
        .at = "127.0.0.1:9180",
        .holder = {.found = true, .pid = 7, .name = "node"}
    };
    err_set(&p->facts.metrics_port.taken, "x");
    expect(&p->facts, "listen.metrics_port", FINDING_PROBLEM, "another listen.metrics_port");
}

static void test_certificates(void **state)
{
    struct patient *p = *state;
    struct tls_report *t = &p->facts.tls;
    expect(&p->facts, "tls.dates", FINDING_OK, "90 more days, until 2026-04-01");
    t->ends_ms = NOW_MS + 14 * DAY_MS;
    expect(&p->facts, "tls.dates", FINDING_WARNING, "in less than 15 days");
    t->ends_ms = NOW_MS + 1000;
    expect(&p->facts, "tls.dates", FINDING_WARNING, "in less than 1 day");
    t->ends_ms = NOW_MS;
    expect(&p->facts, "tls.dates", FINDING_PROBLEM, "desk.pem has expired on 2026-01-01");
    expect(&p->facts, "tls.dates", FINDING_PROBLEM, "reload (SIGHUP)");
    t->begins_ms = NOW_MS + 1;
    expect(&p->facts, "tls.dates", FINDING_PROBLEM, "not valid before 2026-01-01");
    t->covers_host = false;
    expect(&p->facts, "tls.names", FINDING_WARNING, "not for listen.host, 127.0.0.1");
    t->names[0] = '\0';
    expect(&p->facts, "tls.names", FINDING_WARNING, "subjectAltName");
    t->is_trusted = false;
    expect(&p->facts, "tls.chain", FINDING_WARNING, "ends at \"An Authority\"");
    t->self_signed = true;
    expect(&p->facts, "tls.chain", FINDING_WARNING, "signed by itself");
    t->stray = 1;
    expect(&p->facts, "tls.chain", FINDING_WARNING, "certificate 2 of 2");
    t->key_is_open = true;
    expect(&p->facts, "tls.key", FINDING_WARNING, "chmod 640");
    err_set(&t->unusable, "listen.tls.key: desk.key: Permission denied");
    expect(&p->facts, "tls.files", FINDING_PROBLEM, "desk.key: Permission denied");
    expect_silence(&p->facts, "tls.dates");
    expect_silence(&p->facts, "tls.names");
    expect_silence(&p->facts, "tls.chain");
    expect_silence(&p->facts, "tls.key");
    p->config.listen.tls_cert = NULL;
    expect_silence(&p->facts, "tls");
}

static void test_redis_that_cannot_be_reached(void **state)
{
    struct patient *p = *state;
    struct bus_probe *r = &p->facts.redis;
    strcpy(r->why, "LOADING Redis is loading");
    r->answered = false;
    expect(&p->facts, "redis.link", FINDING_PROBLEM, "it lets us in, but then: LOADING");
    r->reached = false;
    strcpy(r->why, "WRONGPASS invalid");
    expect(&p->facts, "redis.link", FINDING_PROBLEM, "Redis at desk:6379: WRONGPASS");
    expect(&p->facts, "redis.link", FINDING_PROBLEM, "the password in redis.url");
    strcpy(r->why, "never heard of");
    expect(&p->facts, "redis.link", FINDING_PROBLEM, "never heard of");
    expect_silence(&p->facts, "redis.version");
    expect_silence(&p->facts, "redis.rights");
    expect_silence(&p->facts, "redis.clock");
    r->address[0] = '\0';
    strcpy(r->why, "redis.tls.ca: ca.pem: No such file");
    char setting[] = "redis", said[] = "redis.tls.ca: ca.pem: No such file";
    add_file(&p->facts, NAMED_STOPS, setting, said, NULL);
    expect(&p->facts, "redis.link", FINDING_PROBLEM, "redis.tls.ca: ca.pem: No such file");
    expect_silence(&p->facts, "config.files"); /* once is enough */
    p->config.redis.url = "";
    expect(&p->facts, "redis.link", FINDING_OK, "no redis.url");
}

static void test_redis_and_its_limits(void **state)
{
    struct patient *p = *state;
    struct bus_probe *r = &p->facts.redis;
    strcpy(r->version, "5.0.14");
    expect(&p->facts, "redis.version", FINDING_WARNING, "old");
    strcpy(r->errors[BUS_RIGHT_PUBLISH], "NOPERM this user");
    expect(&p->facts, "redis.rights", FINDING_PROBLEM, "PUBLISH to *:price:* is refused: NOPERM");
    expect(&p->facts, "redis.rights", FINDING_PROBLEM, "rights that README names");
    strcpy(r->errors[BUS_RIGHT_PUBLISH], "");
    strcpy(r->errors[BUS_RIGHT_SET], "READONLY You can't");
    expect(&p->facts, "redis.rights", FINDING_PROBLEM, "READONLY");
    strcpy(r->role, "slave");
    expect(&p->facts, "redis.role", FINDING_PROBLEM, "name its primary");
    expect_silence(&p->facts, "redis.rights"); /* said once is enough */

    r->clients = 10;
    r->maxclients = 12;
    expect(&p->facts, "redis.clients", FINDING_OK, "8 of its 12 connections");
    r->clients = 11;
    expect(&p->facts, "redis.clients", FINDING_WARNING, "raise maxclients");

    r->pubsub_hard_bytes = r->pubsub_soft_bytes = 0; /* none */
    expect(&p->facts, "redis.buffers", FINDING_OK, "enough");
    r->pubsub_soft_bytes = 4095;
    expect(&p->facts, "redis.buffers", FINDING_WARNING, "pubsub 16384 8192 60");
    r->pubsub_soft_bytes = 0;
    r->pubsub_hard_bytes = 4095;
    expect(&p->facts, "redis.buffers", FINDING_WARNING, "thrown out");

    r->maxmemory_bytes = 1250000;
    expect(&p->facts, "redis.memory", FINDING_WARNING, "prices are refused");
    r->maxmemory_bytes = 1250100;
    expect(&p->facts, "redis.memory", FINDING_OK, "prices are refused");
    strcpy(r->policy, "allkeys-lru");
    expect(&p->facts, "redis.memory", FINDING_OK, "any key may go");
    strcpy(r->policy, "volatile-ttl");
    expect(&p->facts, "redis.memory", FINDING_OK, "as ours are");
}

static void test_redis_that_tells_little(void **state)
{
    struct patient *p = *state;
    struct bus_probe *r = &p->facts.redis;
    r->version[0] = r->role[0] = '\0';
    r->clients = r->maxclients = r->maxmemory_bytes = r->used_bytes = r->pubsub_hard_bytes = -1;
    r->has_clock = false;
    strcpy(r->info_error, "NOPERM info");
    strcpy(r->config_error, "NOPERM config");
    strcpy(r->time_error, "NOPERM time");
    expect(&p->facts, "redis.version", FINDING_UNKNOWN, "INFO is refused (NOPERM info)");
    expect(&p->facts, "redis.buffers", FINDING_UNKNOWN, "CONFIG GET is refused (NOPERM config)");
    expect(&p->facts, "redis.clock", FINDING_UNKNOWN, "TIME is refused (NOPERM time)");
    expect(&p->facts, "redis.rights", FINDING_OK, "are allowed");
    expect_silence(&p->facts, "redis.clients");
    expect_silence(&p->facts, "redis.memory");
}

static void test_clocks(void **state)
{
    struct patient *p = *state;
    struct bus_probe *r = &p->facts.redis;
    static const struct {
        int64_t ahead_ms, unsure_ms;
        enum finding_state state;
        const char *says;
    } cases[] = {
        {0,      1,    FINDING_OK,      "agrees"                       },
        {-1999,  0,    FINDING_OK,      "give or take 2.0 s"           },
        {2000,   0,    FINDING_WARNING, "2.0 s ahead of this machine's"},
        {2000,   1,    FINDING_OK,      "agrees"                       },
        {-4999,  0,    FINDING_WARNING, "5.0 s behind this machine's"  },
        {5000,   0,    FINDING_PROBLEM, "refused from 5 s on"          },
        {-86400, 0,    FINDING_PROBLEM, "seem older than they are"     },
        {9000,   5000, FINDING_WARNING, "set both clocks"              },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        r->ahead_ms = cases[i].ahead_ms;
        r->unsure_ms = cases[i].unsure_ms;
        expect(&p->facts, "redis.clock", cases[i].state, cases[i].says);
    }
    r->is_local = true;
    expect(&p->facts, "redis.clock", FINDING_OK, "nothing can be learned");
}

static void test_the_middle_of_the_providers_clocks_counts(void **state)
{
    struct patient *p = *state;
    struct doctor_facts *f = &p->facts;
    expect(f, "providers.clock", FINDING_OK, "the provider's clock agrees");
    f->tries[1] = f->tries[2] = f->tries[0];
    f->tries_len = 3;
    f->tries[0].date_ms += DAY_MS; /* one is wrong */
    expect(f, "providers.clock", FINDING_OK, "the providers' clock agrees");
    f->tries[1].date_ms += 60000;
    expect(f, "providers.clock", FINDING_PROBLEM, "60.4 s ahead");
    for (size_t i = 0; i < 3; i++)
        f->tries[i].date_ms = 0;
    expect_silence(f, "providers.clock");
}

static void test_keys(void **state)
{
    struct patient *p = *state;
    expect(&p->facts, "providers.keys", FINDING_OK, "1 provider is in use");
    p->providers[1].enabled = false; /* in no chain */
    p->providers[1].why_disabled = "no api_key";
    expect(&p->facts, "providers.keys", FINDING_OK, "no key is missing");
    p->providers[0].enabled = false;
    p->providers[0].why_disabled = "no api_key: ALPHA_KEY is not set";
    expect(&p->facts, "providers.keys", FINDING_WARNING, "ALPHA_KEY is not set");
    expect(&p->facts, "providers.keys", FINDING_PROBLEM, "nobody can be asked for coffee");
    p->config.feeds_enabled = false;
    expect(&p->facts, "providers.keys", FINDING_OK, "is off: prices come from Redis");
    p->config.redis.url = "";
    expect(&p->facts, "providers.keys", FINDING_PROBLEM, "no price will ever come");
    p->config.feeds_enabled = true;
    p->instrument.sources_len = 0;
    p->facts.tries_len = 0;
    expect_silence(&p->facts, "providers");
}

static void test_answers(void **state)
{
    struct patient *p = *state;
    struct provider_try *t = &p->facts.tries[0];
    static const struct {
        enum failure failure;
        enum finding_state state;
        const char *says;
    } cases[] = {
        {FAIL_NONE,           FINDING_OK,      "alpha answered for KC1 in 210 ms"},
        {FAIL_AUTH,           FINDING_PROBLEM, "providers.alpha.api_key"         },
        {FAIL_NOT_FOUND,      FINDING_WARNING, "correct \"symbol\""              },
        {FAIL_RATE_LIMITED,   FINDING_WARNING, "until its credits are back"      },
        {FAIL_TIMEOUT,        FINDING_WARNING, "firewall"                        },
        {FAIL_TLS,            FINDING_WARNING, "ca-certificates"                 },
        {FAIL_UPSTREAM_ERROR, FINDING_WARNING, "try later"                       },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        t->failure = cases[i].failure;
        snprintf(t->detail, sizeof t->detail, "the reason");
        expect(&p->facts, "providers.answers", cases[i].state, cases[i].says);
        if (cases[i].failure != FAIL_NONE) {
            expect(&p->facts, "providers.answers", cases[i].state, ": the reason");
            expect(&p->facts, "providers.answers", FINDING_PROBLEM, "no provider gave a price");
        }
    }
    p->facts.asked_providers = false;
    expect(&p->facts, "providers.answers", FINDING_UNKNOWN, "spends a credit");
    expect_silence(&p->facts, "providers.clock");
    p->facts.asked_providers = true;
    err_set(&p->facts.not_asked, "cannot prepare libcurl");
    expect(&p->facts, "providers.answers", FINDING_PROBLEM, "cannot prepare libcurl");
}

static void test_the_machine(void **state)
{
    struct patient *p = *state;
    struct machine *m = &p->facts.machine;
    expect(&p->facts, "machine.files", FINDING_OK, "room for 4000");
    p->config.limits.connections = 4001;
    expect(&p->facts, "machine.files", FINDING_WARNING, "raise it to 4097");
    m->files = -1;
    err_set(&m->files_why, "only 64 open files are allowed");
    expect(&p->facts, "machine.files", FINDING_PROBLEM, "only 64");
    m->somaxconn = 4095;
    expect(&p->facts, "machine.backlog", FINDING_WARNING, "net.core.somaxconn=4096");
    m->wmem_max = 131071;
    expect(&p->facts, "machine.send_buffer", FINDING_WARNING, "net.core.wmem_max=131072");
    m->somaxconn = m->wmem_max = -1; /* not to be had */
    expect_silence(&p->facts, "machine.backlog");
    expect_silence(&p->facts, "machine.send_buffer");
    m->ntp = NTP_FREE;
    expect(&p->facts, "machine.clock", FINDING_WARNING, "chrony");
    m->ntp = NTP_UNKNOWN;
    expect(&p->facts, "machine.clock", FINDING_UNKNOWN, "timedatectl");
    m->is_root = true;
    expect(&p->facts, "machine.user", FINDING_UNKNOWN, "root may read");
    p->config.listen.tls_cert = p->config.quality.dead_letter_dir = NULL;
    expect_silence(&p->facts, "machine.user");
}

static void test_libraries(void **state)
{
    struct patient *p = *state;
    struct library *lws = &p->facts.libraries[LIBRARY_WEBSOCKETS],
                   *redis = &p->facts.libraries[LIBRARY_HIREDIS],
                   *uv = &p->facts.libraries[LIBRARY_UV];
    *lws = (struct library){"libwebsockets", "4.1.6", "4.1.6"};
    expect(&p->facts, "libraries.versions", FINDING_OK, "libwebsockets 4.1.6; worked around: ");
    expect(&p->facts, "libraries.versions", FINDING_OK, "not ours to mend");
    expect(&p->facts, "libraries.versions", FINDING_OK, "Restart=always");
    *lws = (struct library){"libwebsockets", "4.3.3", "4.3.3"};
    expect(&p->facts, "libraries.versions", FINDING_OK, "as an earlier version needed it");
    *lws = (struct library){"libwebsockets", "4.1.6", "4.1.10"};
    expect(&p->facts, "libraries.versions", FINDING_WARNING, "was built with 4.1.6");
    *uv = (struct library){"libuv", "1.44.2", "1.48.0"}; /* newer is fine */
    expect(&p->facts, "libraries.versions", FINDING_OK, "libuv 1.48.0");
    *uv = (struct library){"libuv", "1.44.2", "1.9.9"};
    expect(&p->facts, "libraries.versions", FINDING_WARNING, "libuv 1.9.9");
    *redis = (struct library){"hiredis", "0.14.1", ""}; /* it does not say */
    expect(&p->facts, "libraries.versions", FINDING_OK, "hiredis 0.14.1; worked around");
    p->facts.has_event_library = false;
    expect(&p->facts, "libraries.event_loop", FINDING_PROBLEM, "libwebsockets-evlib-uv");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_all_is_well),
        TEST(test_a_wrong_configuration_is_told_line_by_line),
        TEST(test_files_are_told_where_they_belong),
        TEST(test_ports),
        TEST(test_certificates),
        TEST(test_redis_that_cannot_be_reached),
        TEST(test_redis_and_its_limits),
        TEST(test_redis_that_tells_little),
        TEST(test_clocks),
        TEST(test_the_middle_of_the_providers_clocks_counts),
        TEST(test_keys),
        TEST(test_answers),
        TEST(test_the_machine),
        TEST(test_libraries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
