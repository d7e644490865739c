/* bench.h - what the instruments share: clocks, sockets, giving up.
 *
 * They are programs of a few seconds: whatever goes wrong ends them with a sentence and exit code
 * 1, so that no figure comes out of a run that was not one. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_NS_PER_MS   INT64_C(1000000)
#define BENCH_NS_PER_S    INT64_C(1000000000)
#define BENCH_SYMBOLS_MAX 10000

_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* We end with the program that started us, and after BENCH_LIFE_S whatever happens. */
#define BENCH_LIFE_S 900
void bench_bound_life(void);

int64_t bench_mono_ns(void); /* for intervals */
int64_t bench_wall_ns(void); /* for stamps that another process compares with its own clock */

void *bench_alloc(size_t bytes); /* zeroed */

/* splitmix64: the same seed gives the same crowd, on every machine. */
uint64_t bench_random(uint64_t *state);

/* Blocking connections to a Redis on a Unix socket, and to 127.0.0.1:port. */
int bench_connect_unix(const char *path);
int bench_connect_local(int port);
void bench_set_blocking(int fd, bool blocking);
void bench_set_option(int fd, int level, int name, int value);

/* The soft limit of open files becomes the hard one. Returns it. */
long bench_raise_files(void);

#endif
