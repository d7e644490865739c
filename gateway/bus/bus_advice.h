/* bus_advice.h - what an operator can do about a Redis that fails or refuses. Pure. */
#ifndef PRICEGATE_BUS_ADVICE_H
#define PRICEGATE_BUS_ADVICE_H

/* For an error as Redis, hiredis, the kernel or a link words it: a sentence, "" when there is
 * nothing to say beyond the error itself. */
const char *bus_advice(const char *error);

#endif
