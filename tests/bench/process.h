/* process.h - what another process has used so far, from /proc. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>

#define PROCESS_THREADS_MAX 32

struct process_thread {
    int id;
    char name[20];
    double cpu_s;
};

struct process_use {
    double user_s, system_s; /* /proc/PID/stat, ticks of 10 ms */
    double cpu_s;            /* sum over the threads' schedstat, exact; user + system without it */
    double wait_s;           /* ready to run but without a core: others were in the way */
    long rss_kb, peak_kb;
    int threads_len; /* those beyond PROCESS_THREADS_MAX count in the sums only */
    struct process_thread threads[PROCESS_THREADS_MAX];
};

/* All zeros for pid 0 or a process that is not there. */
void process_read(struct process_use *u, int pid);
/* From now on peak_kb is the peak since now. Without the right to (not root) nothing happens. */
void process_forget_peak(int pid);
/* after - before; memory is that of `after`. A thread that ended meanwhile is not in it. */
void process_since(struct process_use *out, const struct process_use *before,
                   const struct process_use *after);

#endif
