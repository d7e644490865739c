#include "redis_proc.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    abort();
}

/* A port that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        die("free port");
    close(fd);
    return ntohs(a.sin_port);
}

void redis_proc_init(struct redis_proc *p, bool tcp, const char *const *extra)
{
    *p = (struct redis_proc){.port = tcp ? free_port() : 0};
    snprintf(p->dir, sizeof p->dir, "/tmp/pricegate-redis-XXXXXX");
    if (!mkdtemp(p->dir))
        die("mkdtemp");
    snprintf(p->socket, sizeof p->socket, "%s/redis.sock", p->dir);
    for (int i = 0; extra && extra[i] && i < REDIS_PROC_ARGS - 1; i++)
        p->extra[i] = extra[i];
}

void redis_proc_fini(struct redis_proc *p)
{
    redis_proc_kill(p);
    rmdir(p->dir);
}

static void exec_redis(const struct redis_proc *p, pid_t parent)
{
    char port[16];
    const char *words[16 + REDIS_PROC_ARGS] = {
        "redis-server", "--port",  port,     "--bind",    "127.0.0.1",
        "--unixsocket", p->socket, "--save", "",          "--appendonly",
        "no",           "--dir",   p->dir,   "--logfile", "/dev/null",
    };
    char *argv[16 + REDIS_PROC_ARGS + 1] = {NULL};
    int n = 15;

    snprintf(port, sizeof port, "%d", p->port);
    for (int i = 0; p->extra[i]; i++)
        words[n++] = p->extra[i];
    for (int i = 0; i < n; i++)
        argv[i] = strdup(words[i]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    execvp("redis-server", argv);
    _exit(127);
}

redisContext *redis_proc_client(const struct redis_proc *p)
{
    struct timeval limit = {10, 0};
    redisContext *c = redisConnectUnixWithTimeout(p->socket, limit);
    if (c && c->err) {
        redisFree(c);
        return NULL;
    }
    if (c)
        redisSetTimeout(c, limit);
    return c;
}

static bool answers(const struct redis_proc *p)
{
    redisContext *c = redis_proc_client(p);
    redisReply *r = c ? redisCommand(c, "PING") : NULL;
    bool yes = r && (r->type == REDIS_REPLY_STATUS || strncmp(r->str, "NOAUTH", 6) == 0);
    if (r)
        freeReplyObject(r);
    if (c)
        redisFree(c);
    return yes;
}

void redis_proc_start(struct redis_proc *p)
{
    struct timespec pause = {0, 5 * 1000 * 1000};
    pid_t parent = getpid();
    p->pid = fork();
    if (p->pid < 0)
        die("fork");
    if (p->pid == 0)
        exec_redis(p, parent);
    for (int i = 0; i < 6000; i++) {
        if (answers(p))
            return;
        if (waitpid(p->pid, NULL, WNOHANG) != 0)
            die("redis-server ended");
        nanosleep(&pause, NULL);
    }
    die("redis-server does not answer");
}

void redis_proc_kill(struct redis_proc *p)
{
    if (p->pid == 0)
        return;
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    unlink(p->socket);
    p->pid = 0;
}

void redis_proc_signal(struct redis_proc *p, int signal)
{
    if (p->pid == 0 || kill(p->pid, signal) != 0)
        die("kill");
}
