/* machine.h - what this machine, and the shell that started us, allow. Reads /proc; changes nothing
 * that outlives the process. */
#ifndef PRICEGATE_MACHINE_H
#define PRICEGATE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum machine_ntp { NTP_UNKNOWN, NTP_KEPT, NTP_FREE }; /* does anybody keep the clock right? */

struct machine {
    int64_t files; /* that may be open, as a start would have it; -1: too few to start, and why */
    struct err files_why;
    int64_t somaxconn, wmem_max; /* net.core.*; -1 = not known */
    enum machine_ntp ntp;
    bool is_root;
};

void machine_look(struct machine *out);

/* Who listens on a TCP port of this machine. */
struct machine_holder {
    bool found; /* some process that we may look at */
    long pid;
    char name[32]; /* "nginx" */
};
void machine_find_holder(int port, struct machine_holder *out);

/* Pure: the inode of the socket that listens on the port, out of /proc/net/tcp or tcp6; 0 = none.
 */
unsigned long machine_listening_inode(const char *table, int port);

#endif
