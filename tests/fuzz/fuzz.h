/* fuzz.h - what the fuzzers share. A fuzzer is a file fuzz_<target>.c with a function
 * LLVMFuzzerTestOneInput(): the parser must survive the input, and what it says must hold
 * (CHECK). ./dev fuzz builds and runs them all. */
#ifndef PRICEGATE_FUZZ_H
#define PRICEGATE_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "attrs.h"
#include "decimal.h"
#include "err.h"

#define CHECK(cond) ((cond) ? (void)0 : fuzz_check_failed(#cond, __FILE__, __LINE__))
void fuzz_check_failed(const char *what, const char *file, int line);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

/* How many bytes of an input stand in front of its JSON; each target has its own. */
size_t fuzz_json_start(const uint8_t *data, size_t size);

/* A copy in memory of its exact size with a NUL behind it, for the address sanitizer to see each
 * byte that is read too far; the caller frees. fuzz_bytes(): without the NUL. */
char *fuzz_text(const uint8_t *data, size_t size);
char *fuzz_bytes(const void *data, size_t size);

bool fuzz_is_json(const char *text, size_t len);      /* one text that others can read */
bool fuzz_is_printable(const char *text, size_t max); /* printable ASCII, its NUL within max */
bool fuzz_is_utf8(const char *text, size_t max);      /* UTF-8, its NUL within max */
bool fuzz_is_sentence(const struct err *err);         /* something, on one line */
bool fuzz_same(struct decimal a, struct decimal b);   /* the same digits, or both not given */

#endif
