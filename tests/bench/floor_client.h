/* floor_client.h - one client of the floor: its socket, what it has not yet sent us completely, and
 * what did not fit its socket yet. */
#ifndef FLOOR_CLIENT_H
#define FLOOR_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct floor_client {
    int fd;
    SSL *ssl; /* NULL: plain */
    bool handshaken, upgraded, all;
    size_t place; /* in the list of those that want everything, when `all` */
    int *symbols; /* otherwise: what it wants */
    size_t symbols_len;
    unsigned char *in, *rest;
    size_t in_len, rest_len, rest_sent;
};

#define FLOOR_IN_MAX   65536
#define FLOOR_REST_MAX (256 * 1024) /* about a second of `busy` */

struct floor_client *floor_client_new(int fd, SSL_CTX *tls);
void floor_client_free(struct floor_client *c); /* closes the socket */

/* One send() (TLS: SSL_write) of the bytes; what does not fit waits for floor_client_drain. Where
 * FLOOR_REST_MAX wait already it does nothing and returns 0, so a client that does not read misses
 * messages. Returns 1 when the bytes went or wait, -1 when the connection is broken. */
int floor_client_send(struct floor_client *c, const unsigned char *bytes, size_t len);
/* Goes on with the rest. -1: broken. */
int floor_client_drain(struct floor_client *c);
/* Adds what has come to c->in. 0: nothing more for now, -1: ended or broken. */
int floor_client_receive(struct floor_client *c);
void floor_client_consume(struct floor_client *c, size_t len);
/* Answers the upgrade request in c->in once it is complete. 1 done, 0 not yet, -1 not one. */
int floor_client_upgrade(struct floor_client *c);

#endif
