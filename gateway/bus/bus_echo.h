/* bus_echo.h - own status messages that will come back over SUBSCRIBE. Pure.
 *
 * A status carries no sequence number, so a reader cannot tell the echo of its own process from
 * news. The bus remembers a hash of each status it sent and drops the first equal message.
 * Bounded: with more than BUS_ECHO_MAX awaited the oldest is forgotten, and its echo is heard. */
#ifndef PRICEGATE_BUS_ECHO_H
#define PRICEGATE_BUS_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUS_ECHO_MAX 1024

struct bus_echo {
    uint64_t awaited[BUS_ECHO_MAX]; /* ring; 0 = came back already */
    size_t first, len;
};

void bus_echo_clear(struct bus_echo *e);
void bus_echo_expect(struct bus_echo *e, int id, const char *bytes, size_t len);
/* True when this message was awaited; it is not awaited any more. */
bool bus_echo_take(struct bus_echo *e, int id, const char *bytes, size_t len);

#endif
