/* Listening sockets: a name with several addresses, ports that are taken, and sockets that are
 * files. getaddrinfo() is ours here: names mean what a test says. */
#include "endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- a name server --- */

static struct {
    const char *addresses[10]; /* in the order in which they are told */
    size_t len;
    struct addrinfo rows[10];
    struct sockaddr_storage stores[10];
} names;

static void name_means(const char *const *addresses, size_t len)
{
    memcpy(names.addresses, addresses, len * sizeof *addresses);
    names.len = len;
}
#define NAME_MEANS(...)                                                                            \
    name_means((const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static void fill(size_t i, const char *port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in = {.sin_family = AF_INET};
    bool v6 = inet_pton(AF_INET6, names.addresses[i], &in6.sin6_addr) == 1;
    in6.sin6_port = in.sin_port = htons((uint16_t)strtol(port, NULL, 10));
    if (!v6)
        assert_int_equal(inet_pton(AF_INET, names.addresses[i], &in.sin_addr), 1);
    memcpy(&names.stores[i], v6 ? (const void *)&in6 : (const void *)&in,
           v6 ? sizeof in6 : sizeof in);
    names.rows[i] = (struct addrinfo){
        .ai_family = v6 ? AF_INET6 : AF_INET,
        .ai_addr = (struct sockaddr *)&names.stores[i],
        .ai_addrlen = v6 ? sizeof in6 : sizeof in,
        .ai_next = i + 1 < names.len ? &names.rows[i + 1] : NULL,
    };
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)hints;
    assert_string_equal(node, "name");
    for (size_t i = 0; i < names.len; i++)
        fill(i, service);
    *out = names.rows;
    return names.len > 0 ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
    assert_ptr_equal(list, names.rows);
}

/* --- the tests' tools --- */

static struct endpoint_options at(const char *host, int port)
{
    return (struct endpoint_options){
        .host = host, .port = port, .port_setting = "listen.port", .sndbuf_bytes = 65536};
}

static struct endpoint must_open(const char *host, int port)
{
    struct endpoint e;
    struct err err = {""};
    const struct endpoint_options o = at(host, port);
    if (endpoint_open(&e, &o, &err) != 0)
        fail_msg("%s", err.text);
    return e;
}

static void expect_refused(const char *host, int port, const char *says)
{
    struct endpoint e;
    struct err err = {""};
    const struct endpoint_options o = at(host, port);
    assert_int_equal(endpoint_open(&e, &o, &err), -1);
    if (!strstr(err.text, says))
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
    assert_int_equal(e.len, 0);
    endpoint_close(&e); /* harmless */
}

static int connect_to(const struct sockaddr *sa, socklen_t len)
{
    int fd = socket(sa->sa_family, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    int rc = connect(fd, sa, len);
    close(fd);
    return rc;
}

static int connect_v4(int port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return connect_to((const struct sockaddr *)&to, sizeof to);
}

static int connect_v6(int port)
{
    const struct sockaddr_in6 to = {.sin6_family = AF_INET6,
                                    .sin6_port = htons((uint16_t)port),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return connect_to((const struct sockaddr *)&to, sizeof to);
}

static int connect_path(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    return connect_to((const struct sockaddr *)&to, sizeof to);
}

static bool no_ipv6(void)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool none = fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) != 0;
    if (fd >= 0)
        close(fd);
    return none;
}

/* --- TCP --- */

static void each_address_of_a_name_gets_a_socket(void **state)
{
    (void)state;
    char expected[64];
    struct buf text = {0};
    if (no_ipv6())
        skip();
    NAME_MEANS("::1", "127.0.0.1", "127.0.0.1", "::1"); /* as /etc/hosts may say it */
    struct endpoint e = must_open("name", 0);
    assert_int_equal(e.len, 2);
    assert_int_equal(connect_v4(e.port), 0);
    assert_int_equal(connect_v6(e.port), 0);
    endpoint_add_addresses(&e, &text);
    snprintf(expected, sizeof expected, "[::1]:%d, 127.0.0.1:%d", e.port, e.port);
    assert_string_equal(text.p, expected);
    buf_fini(&text);
    int port = e.port;
    endpoint_close(&e);
    assert_int_equal(connect_v4(port), -1);
}

/* These are nobody's: for examples in texts. */
static void an_address_that_is_not_here_is_left_out(void **state)
{
    (void)state;
    NAME_MEANS("203.0.113.1", "127.0.0.1");
    struct endpoint e = must_open("name", 0);
    assert_int_equal(e.len, 1);
    assert_int_equal(connect_v4(e.port), 0);
    endpoint_close(&e);
    NAME_MEANS("203.0.113.1", "198.51.100.1");
    expect_refused("name", 0, "198.51.100.1:0: this machine does not have this address");
}

/* With half of a name's clients at another program, nothing would say so. */
static void an_address_that_is_taken_is_an_error(void **state)
{
    (void)state;
    char says[128];
    NAME_MEANS("127.0.0.1");
    struct endpoint other = must_open("name", 0);
    NAME_MEANS("127.0.0.2", "127.0.0.1");
    snprintf(says, sizeof says,
             "127.0.0.1:%d: address in use: another process listens there; stop it, or choose "
             "another listen.port",
             other.port);
    expect_refused("name", other.port, says);
    endpoint_close(&other);
}

static void the_wildcard_of_ipv6_is_for_both_families(void **state)
{
    (void)state;
    if (no_ipv6())
        skip();
    NAME_MEANS("::");
    struct endpoint e = must_open("name", 0);
    assert_int_equal(connect_v4(e.port), 0);
    assert_int_equal(connect_v6(e.port), 0);
    endpoint_close(&e);
}

/* --- unix sockets --- */

static int folder(void **state)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/pricegate-endpoint-XXXXXX");
    *state = mkdtemp(path);
    return *state ? 0 : -1;
}

static int no_folder(void **state)
{
    char path[128];
    snprintf(path, sizeof path, "%s/s", (const char *)*state);
    (void)unlink(path);
    return rmdir(*state);
}

#define HOST(name_, state_)                                                                        \
    char name_[100];                                                                               \
    snprintf(name_, sizeof name_, "unix:%s/s", (const char *)*(state_))

static void a_unix_socket_is_for_owner_and_group(void **state)
{
    HOST(host, state);
    const char *path = host + 5;
    struct stat st;
    mode_t before = umask(0077); /* as under systemd: it makes no difference */
    struct endpoint e = must_open(host, 8080);
    assert_int_equal(umask(before), 0077);
    assert_int_equal(e.port, 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | 0660);
    assert_int_equal(connect_path(path), 0);
    endpoint_close(&e);
    assert_int_equal(lstat(path, &st), -1);
}

/* Killed: nobody removed it. */
static void what_a_dead_process_left_is_replaced(void **state)
{
    HOST(host, state);
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)must_open(host, 0);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(access(host + 5, F_OK), 0);
    assert_int_equal(connect_path(host + 5), -1);
    struct endpoint e = must_open(host, 0);
    assert_int_equal(connect_path(host + 5), 0);
    endpoint_close(&e);
}

static void what_lives_stays(void **state)
{
    HOST(host, state);
    struct endpoint e = must_open(host, 0);
    expect_refused(host, 0, "/s: address in use: another process listens there");
    assert_int_equal(connect_path(host + 5), 0);
    endpoint_close(&e);
}

static void a_file_that_is_no_socket_stays(void **state)
{
    HOST(host, state);
    int fd = open(host + 5, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, "mine", 4), 4);
    close(fd);
    expect_refused(host, 0, "/s: there is a file that is no socket");
    assert_int_equal(access(host + 5, F_OK), 0);
    assert_int_equal(unlink(host + 5), 0);
    assert_int_equal(symlink("/dev/null", host + 5), 0);
    expect_refused(host, 0, "/s: there is a file that is no socket");
    assert_int_equal(unlink(host + 5), 0);
}

static void a_folder_must_be_there_and_free(void **state)
{
    char host[160];
    snprintf(host, sizeof host, "unix:%s/no/s", (const char *)*state);
    expect_refused(host, 0, "the folder /tmp/pricegate-endpoint-");
    snprintf(host, sizeof host, "unix:%s/s", (const char *)*state);
    int lock = open(*state, O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    expect_refused(host, 0, "another process is just making a socket");
    close(lock);
}

/* Several are started at once, in one folder: each has its turn. */
static void a_folder_is_waited_for(void **state)
{
    HOST(host, state);
    const struct timespec while_it_waits = {.tv_nsec = 200000000};
    char word;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int lock = open(*state, O_RDONLY | O_DIRECTORY);
        if (flock(lock, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        nanosleep(&while_it_waits, NULL);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &word, 1), 1);
    struct endpoint e = must_open(host, 0);
    endpoint_close(&e);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(ready[0]);
    close(ready[1]);
}

/* Somebody has removed it and put another one in its place. */
static void anothers_file_is_not_removed(void **state)
{
    HOST(host, state);
    struct endpoint e = must_open(host, 0);
    assert_int_equal(unlink(host + 5), 0);
    struct endpoint other = must_open(host, 0);
    endpoint_close(&e);
    assert_int_equal(connect_path(host + 5), 0);
    endpoint_close(&other);
}

static int try_only(const char *host, int port, bool share)
{
    const struct endpoint_options o = {.host = host,
                                       .port = port,
                                       .port_setting = "listen.port",
                                       .share = share,
                                       .only_try = true};
    struct endpoint e;
    struct err err;
    int rc = endpoint_open(&e, &o, &err);
    endpoint_close(&e);
    return rc;
}

/* Whoever only tries takes nothing from anybody, and leaves nothing. */
static void a_try_is_no_listening(void **state)
{
    HOST(host, state);
    struct endpoint e = must_open(host, 0);
    assert_int_equal(try_only(host, 0, false), -1);
    assert_int_equal(connect_path(host + 5), 0);
    endpoint_close(&e);
    assert_int_equal(try_only(host, 0, false), 0);
    assert_int_equal(access(host + 5, F_OK), -1);

    NAME_MEANS("127.0.0.1");
    e = must_open("name", 0);
    int port = e.port;
    assert_int_equal(try_only("name", port, false), -1);
    endpoint_close(&e);
    const struct endpoint_options o = {
        .host = "name", .port = port, .port_setting = "listen.port", .only_try = true};
    struct err err;
    assert_int_equal(endpoint_open(&e, &o, &err), 0);
    assert_int_equal(connect_v4(port), -1); /* refused */
    endpoint_close(&e);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* What is accepted has what keeps those who do not read, or are gone, from costing much. */
static void accepted_sockets_inherit_their_limits(void **state)
{
    (void)state;
    NAME_MEANS("127.0.0.1");
    struct endpoint e = must_open("name", 0);
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)e.port),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&to, sizeof to), 0);
    int fd = accept(e.fds[0], NULL, NULL);
    assert_true(fd >= 0);
    assert_int_equal(option(fd, SOL_SOCKET, SO_SNDBUF), 2 * 65536); /* the kernel doubles it */
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 16384);
    assert_in_range(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000, 33000);
    close(fd);
    close(client);
    endpoint_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_of_a_name_gets_a_socket),
        cmocka_unit_test(an_address_that_is_not_here_is_left_out),
        cmocka_unit_test(an_address_that_is_taken_is_an_error),
        cmocka_unit_test(the_wildcard_of_ipv6_is_for_both_families),
        cmocka_unit_test(a_unix_socket_is_for_owner_and_group),
        cmocka_unit_test(what_a_dead_process_left_is_replaced),
        cmocka_unit_test(what_lives_stays),
        cmocka_unit_test(a_file_that_is_no_socket_stays),
        cmocka_unit_test(a_folder_must_be_there_and_free),
        cmocka_unit_test(a_folder_is_waited_for),
        cmocka_unit_test(anothers_file_is_not_removed),
        cmocka_unit_test(a_try_is_no_listening),
        cmocka_unit_test(accepted_sockets_inherit_their_limits),
    };
    return cmocka_run_group_tests(tests, folder, no_folder);
}
