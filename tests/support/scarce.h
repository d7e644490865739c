/* scarce.h - memory that runs out, and how much of it is held. The tests that need it are linked
 * with --wrap for what allocates (see CMakeLists.txt), so that these functions are asked by our
 * code; jansson asks them, too, which lets itself be told. Other libraries have their own. */
#ifndef PRICEGATE_TEST_SCARCE_H
#define PRICEGATE_TEST_SCARCE_H

#include <stdbool.h>

enum scarcity {
    SCARCE_ONCE,    /* one allocation fails, and there is plenty again */
    SCARCE_FOR_GOOD /* all that follow fail as well */
};

/* From now on n allocations succeed, and the one behind them fails. */
void scarce_begin(int n, enum scarcity scarcity);
/* Back to plenty. True when one has failed. */
bool scarce_end(void);

/* For what a test does itself in between; may be nested. */
void scarce_pause(void);
void scarce_resume(void);

/* Blocks that were allocated and not freed yet, by our code and by jansson since the first of these
 * functions was called. */
long scarce_live(void);

#endif
