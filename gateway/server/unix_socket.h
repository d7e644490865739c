/* unix_socket.h - a listening socket that is a file. Loop thread only. */
#ifndef PRICEGATE_UNIX_SOCKET_H
#define PRICEGATE_UNIX_SOCKET_H

#include <sys/types.h>

#include "err.h"
#include "listen_host.h"

struct unix_socket {
    char path[LISTEN_PATH_MAX + 1]; /* "" = there is none */
    dev_t device;
    ino_t inode;
};

/* Binds and listens; owner and group may connect (mode 0660). What a process that is dead has left
 * there is replaced. Returns the descriptor; -1 with a sentence when somebody listens there, it is
 * no socket, or the folder is not there or not ours to write to. */
int unix_socket_open(struct unix_socket *u, const char *path, int backlog,
                     struct err *err) MUST_CHECK;
/* Could it be opened? Makes and removes nothing. -1 with the same sentence. */
int unix_socket_try(const char *path, struct err *err) MUST_CHECK;
/* Removes the file, if it is still the one that was made. Harmless when there is none. */
void unix_socket_remove(struct unix_socket *u);

#endif
