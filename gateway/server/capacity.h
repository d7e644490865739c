/* capacity.h - how many connections there may be.
 *
 * File descriptors are the resource behind it: the soft limit is raised to the hard one at start,
 * and RESERVED_FILES of them stay for Redis, providers, files and the listeners. Streams are
 * counted by address even where that is not limited: a reload may limit it. */
#ifndef PRICEGATE_CAPACITY_H
#define PRICEGATE_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "config.h"
#include "err.h"

/* Raises the soft RLIMIT_NOFILE. Returns what it is then, or -1 with a sentence when that is too
 * little to start with. */
int64_t capacity_raise_files(struct err *err) MUST_CHECK;

struct capacity {
    size_t sockets;      /* accepted connections of any kind; above it accepting pauses */
    size_t streams;      /* WebSockets and event streams; above it 503 */
    size_t per_address;  /* of them, those of one address_party(), 0 = unlimited */
    size_t streams_open; /* counted by capacity_take/capacity_give */
    struct capacity_entry **addresses;
};

void capacity_init(struct capacity *l, const struct config *c, int64_t files);
/* Other limits; what is open stays open. */
void capacity_change(struct capacity *l, const struct config *c);
void capacity_fini(struct capacity *l);

enum capacity_verdict { CAPACITY_OK, CAPACITY_FULL, CAPACITY_ADDRESS };
/* Counts one more stream of this client, if that is allowed. Each CAPACITY_OK is given back once.
 */
enum capacity_verdict capacity_take(struct capacity *l, const struct address *client);
void capacity_give(struct capacity *l, const struct address *client);

#endif
