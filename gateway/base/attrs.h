/* attrs.h - the few compiler attributes and the one assertion this program uses. */
#ifndef PRICEGATE_ATTRS_H
#define PRICEGATE_ATTRS_H

#include <stdio.h>
#include <stdlib.h>

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))

/* REQUIRE(): the impossible, checked in every build. Never on bytes from outside. */
#define REQUIRE(cond) ((cond) ? (void)0 : require_failed(#cond, __FILE__, __LINE__))

static inline void require_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "pricegate: impossible: %s does not hold at %s:%d\n", what, file, line);
    abort();
}

#endif
