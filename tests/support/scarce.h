/* scarce.h - memory that runs out. The parsers' tests are linked with --wrap for what allocates
 * (see CMakeLists.txt), so that these functions are asked by our code, and by no library's. */
#ifndef PRICEGATE_TEST_SCARCE_H
#define PRICEGATE_TEST_SCARCE_H

#include <stdbool.h>

/* From now on n allocations succeed, and the one behind them fails. */
void scarce_begin(int n);
/* Back to plenty. True when one has failed. */
bool scarce_end(void);

#endif
