/* supervisor.h - telling the service manager how we are (systemd's sd_notify protocol): a datagram
 * to the socket that it named in the environment. Without one, nothing happens. */
#ifndef PRICEGATE_SUPERVISOR_H
#define PRICEGATE_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", or several lines. False: there is nobody to tell, or it
 * could not be told. Never blocks. */
bool supervisor_tell(const char *state);

/* How often the manager wants to hear WATCHDOG=1, in ms: half of the time after which it would kill
 * us; 0 = it does not. */
int64_t supervisor_watchdog_ms(void);

#endif
