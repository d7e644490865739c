/* redis_proc.h - a real redis-server of the test's own, to be killed, stopped and started again.
 *
 * Listens on a unix socket in a fresh folder; nothing is saved, so a restart finds it empty. With
 * `tcp` it also takes a free port on 127.0.0.1, which stays the same over restarts. Every failure
 * aborts the test program. The server is killed when the test program dies. */
#ifndef TEST_REDIS_PROC_H
#define TEST_REDIS_PROC_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>

#define REDIS_PROC_ARGS 16

struct redis_proc {
    pid_t pid; /* 0: not running */
    int port;  /* 0: unix socket only */
    char dir[64];
    char socket[96];
    const char *extra[REDIS_PROC_ARGS]; /* further arguments, borrowed, NULL at the end */
};

/* Makes the folder, starts nothing. extra: NULL or a list that ends with NULL. */
void redis_proc_init(struct redis_proc *p, bool tcp, const char *const *extra);
void redis_proc_fini(struct redis_proc *p); /* kills it, removes the folder */

void redis_proc_start(struct redis_proc *p); /* returns when it answers PING (or asks for AUTH) */
void redis_proc_kill(struct redis_proc *p);  /* SIGKILL, and waits; no-op when not running */
void redis_proc_signal(struct redis_proc *p, int signal); /* SIGSTOP, SIGCONT */

/* A blocking client beside the program under test; NULL when it cannot connect. */
redisContext *redis_proc_client(const struct redis_proc *p);

#endif
