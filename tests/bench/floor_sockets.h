/* floor_sockets.h - what the floor opens at its start. Failure ends the program. */
#ifndef FLOOR_SOCKETS_H
#define FLOOR_SOCKETS_H

#include <openssl/ssl.h>

/* Listens on 127.0.0.1:*port; 0 becomes the port that was free. Accepted sockets inherit the send
 * buffer and TCP_NODELAY. Neither they nor the listener block. */
int floor_listen(int *port, int sndbuf_bytes);
SSL_CTX *floor_tls(const char *cert, const char *key);
/* A connection that has asked for S0000:price:stream and so on. */
int floor_subscribe(const char *redis, int symbols);

#endif
