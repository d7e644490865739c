/* hiredis on the loop: what has come together is handled together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <hiredis/async.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "buf.h"
#include "bus_redis_adapter.h"

enum { MESSAGES = 200 };

struct heard {
    int turns; /* of the loop so far */
    int messages;
    int first_turn, last_turn; /* with a message in it */
    bool gone;
};

static void on_reply(redisAsyncContext *ac, void *answer, void *ctx)
{
    const redisReply *r = answer;
    struct heard *h = ctx;
    (void)ac;
    if (!r || r->elements != 3 || strcmp(r->element[0]->str, "message") != 0)
        return;
    if (h->messages++ == 0)
        h->first_turn = h->turns;
    h->last_turn = h->turns;
}

static void on_turn(uv_check_t *check)
{
    struct heard *h = check->data;
    h->turns++;
}

static void on_gone(const redisAsyncContext *ac, int status)
{
    struct heard *h = ac->data;
    (void)status;
    h->gone = true;
}

static int listen_at(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* The answer to SUBSCRIBE and, at once behind it, 100 KB of messages. */
static void push_burst(int fd)
{
    struct buf b = {0};
    buf_adds(&b, "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n");
    for (int i = 0; i < MESSAGES; i++)
        buf_addf(&b, "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$500\r\n%0500d\r\n", i);
    assert_false(b.failed);
    assert_true(b.len > (size_t)6 * 16384);
    assert_int_equal(send(fd, b.p, b.len, MSG_DONTWAIT | MSG_NOSIGNAL), b.len);
    buf_fini(&b);
}

static void test_a_burst_is_read_in_one_turn(void **state)
{
    char folder[] = "/tmp/pricegate-adapter-XXXXXX", path[64];
    struct heard h = {0};
    uv_loop_t loop;
    uv_check_t check;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/redis", folder);
    int listener = listen_at(path);
    assert_int_equal(uv_loop_init(&loop), 0);
    uv_check_init(&loop, &check);
    check.data = &h;
    uv_check_start(&check, on_turn);

    redisAsyncContext *ac = redisAsyncConnectUnix(path);
    assert_non_null(ac);
    ac->data = &h;
    assert_int_equal(bus_redis_attach(ac, &loop), 0);
    redisAsyncSetDisconnectCallback(ac, on_gone);
    assert_int_equal(redisAsyncCommand(ac, on_reply, &h, "SUBSCRIBE x"), REDIS_OK);
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    push_burst(fd);
    while (h.messages < MESSAGES && !h.gone)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(h.messages, MESSAGES);
    assert_int_equal(h.last_turn, h.first_turn);

    close(fd); /* the end is found while reading, too */
    while (!h.gone)
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&check, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    close(listener);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_is_read_in_one_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
