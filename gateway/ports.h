/* ports.h - what the serving half may ask: of the polling half, and of the process. */
#ifndef PRICEGATE_PORTS_H
#define PRICEGATE_PORTS_H

struct gateway;

/* Fills g->feed_port and g->process_port. Whatever generation is there when a question comes is
 * asked. */
void ports_wire(struct gateway *g);

#endif
