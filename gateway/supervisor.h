/* supervisor.h - telling the service manager how we are (systemd's sd_notify protocol): a datagram
 * to the socket that it named in the environment. Without one, nothing happens. */
#ifndef PRICEGATE_SUPERVISOR_H
#define PRICEGATE_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", or several lines. False: there is nobody to tell, or it
 * could not be told. Never blocks. */
bool supervisor_tell(const char *state);

/* The exit code of a start that no repetition would mend, because the configuration is wrong: 78
 * (EX_CONFIG, which systemd knows by name) for a manager that is to leave it at that
 * (RestartPreventExitStatus=78 in docker/pricegate.service), 1 where there is none. */
int supervisor_misconfigured(void);

/* How often the manager wants to hear WATCHDOG=1, in ms: half of the time after which it would kill
 * us; 0 = it does not. */
int64_t supervisor_watchdog_ms(void);

#endif
