/* socket_bytes.h - what the kernel knows of a TCP socket's bytes. In a file of its own, as
 * libraries' headers bring a struct tcp_info in which this is missing. */
#ifndef PRICEGATE_SOCKET_BYTES_H
#define PRICEGATE_SOCKET_BYTES_H

#include <stdint.h>

/* How many bytes were ever read from it; 0: the kernel does not say (of a unix socket). */
uint64_t socket_bytes_taken(int fd);

#endif
