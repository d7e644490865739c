/* port_look.h - can an address of the configuration be had, and if not, who has it? */
#ifndef PRICEGATE_PORT_LOOK_H
#define PRICEGATE_PORT_LOOK_H

#include <stdbool.h>
#include <uv.h>

#include "config.h"
#include "err.h"
#include "machine.h"

struct port_look {
    bool wanted;                  /* false: the configuration names none, or any free port */
    char at[300];                 /* "127.0.0.1:8080", "unix:/run/pricegate.sock" */
    struct err taken;             /* "" = it can be had; else what a start would say */
    struct machine_holder holder; /* of a port */
    bool is_pricegate;            /* who has it: by its name, or because it answers like one */
};

/* setting: the port's name. Opens nothing for others to connect to; turns the loop for at most
 * 2 s. */
void port_look(uv_loop_t *loop, const struct config *c, const char *host, int port,
               const char *setting, struct port_look *out);

#endif
