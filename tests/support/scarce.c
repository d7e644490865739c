#include "scarce.h"

#include <expat.h>
#include <stdlib.h>

static int left = -1; /* -1: plenty */
static bool failed;

void scarce_begin(int n)
{
    left = n;
    failed = false;
}

bool scarce_end(void)
{
    left = -1;
    return failed;
}

static bool granted(void)
{
    if (left < 0)
        return true;
    if (left-- > 0)
        return true;
    failed = true;
    return false;
}

/* WRAPPED(type, name, (parameters), (arguments)) */
#define WRAPPED(type, name, parameters, arguments)                                                 \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return granted() ? __real_##name arguments : NULL;                                         \
    }

WRAPPED(void *, malloc, (size_t n), (n))
WRAPPED(void *, calloc, (size_t n, size_t size), (n, size))
WRAPPED(void *, realloc, (void *p, size_t n), (p, n))
WRAPPED(XML_Parser, XML_ParserCreateNS, (const XML_Char *encoding, XML_Char separator),
        (encoding, separator))
