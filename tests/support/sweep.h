/* sweep.h - a piece of work is done again and again: its 1st allocation fails, its 2nd, its 3rd,
 * until none is left to fail; then the same with all that follow failing as well.
 *
 * Each time
 *   - nothing crashes, and no block is left over (the address sanitizer names it);
 *   - work() either says that it could not do it all, or what it tells is what an undisturbed run
 *     tells: nothing is missing without a word;
 *   - where it could not, the same objects do it all as soon as there is memory again.
 *
 * The work may leave out what the program documents as lost without memory (a row of metrics, a
 * line of the log): then tell() does not ask for it. */
#ifndef PRICEGATE_TEST_SWEEP_H
#define PRICEGATE_TEST_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

struct sweep {
    const char *what;
    void *(*make)(void);                     /* with plenty of memory; NULL: nothing is needed */
    bool (*work)(void *o);                   /* false: it said that it could not */
    void (*tell)(void *o, struct buf *told); /* what came of it; NULL: there is nothing to see */
    void (*drop)(void *o);                   /* also what a half-done work() left; may be NULL */
};

void sweep_run(const struct sweep *s);
/* The same one for one of a table. */
void sweep_run_all(const struct sweep *list, size_t n);

#endif
