/* server_library.h - the libraries behind the server, and whether the event loop of one of them is
 * there: Debian has it in a package of its own, which nothing but a start misses. */
#ifndef PRICEGATE_SERVER_LIBRARY_H
#define PRICEGATE_SERVER_LIBRARY_H

#include <uv.h>

#include "library.h"

void server_library_websockets(struct library *out);
void server_library_openssl(struct library *out);

/* Starts libwebsockets on the loop as the server does, and ends it again; opens no port. 0, or -1:
 * it cannot turn with libuv. */
int server_library_try(uv_loop_t *loop);

#endif
