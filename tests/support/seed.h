/* seed.h - what the tests give a parser is where its fuzzer begins.
 *
 * With PRICEGATE_SEEDS in the environment (./dev sets it) each text is kept as a file in
 * $PRICEGATE_SEEDS/<target>/, named by its contents; without it nothing happens. So the seeds are
 * the tests' own cases, and a new case is a new seed. */
#ifndef PRICEGATE_TEST_SEED_H
#define PRICEGATE_TEST_SEED_H

#include <stddef.h>

void seed_keep(const char *target, const void *bytes, size_t len);
void seed_keep_text(const char *target, const char *text);

#endif
