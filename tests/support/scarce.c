#include "scarce.h"

#include <expat.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    bool scarce, failed;
    int pauses;
    enum scarcity scarcity;
    int left;
    void **blocks; /* those that are not freed yet: a hash table, where what was freed is GONE */
    size_t live, used, cap;
} memory;

static bool granted(void)
{
    if (!memory.scarce || memory.pauses > 0 || memory.left-- > 0)
        return true;
    memory.failed = true;
    memory.left = 0;
    if (memory.scarcity == SCARCE_ONCE)
        memory.scarce = false;
    return false;
}

/* --- what is wrapped --- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
XML_Parser __real_XML_ParserCreateNS(const XML_Char *encoding, XML_Char separator);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **out, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) int
__wrap___asprintf_chk(char **out, int flag, const char *fmt, ...); /* with _FORTIFY_SOURCE */
XML_Parser __wrap_XML_ParserCreateNS(const XML_Char *encoding, XML_Char separator);

/* --- which blocks there are --- */

static char gone;
#define GONE ((void *)&gone)

static size_t place_of(const void *p)
{
    return (uintptr_t)p * UINT64_C(0x9E3779B97F4A7C15) >> 20 & (memory.cap - 1);
}

static void put(void *p)
{
    size_t i = place_of(p);
    while (memory.blocks[i])
        i = (i + 1) & (memory.cap - 1);
    memory.blocks[i] = p;
    memory.used++;
}

static void rebuild(void)
{
    void **old = memory.blocks;
    size_t n = memory.cap;
    memory.cap = 1024;
    while (memory.cap < 4 * (memory.live + 1))
        memory.cap *= 2;
    memory.used = 0;
    memory.blocks = __real_calloc(memory.cap, sizeof *memory.blocks);
    if (!memory.blocks)
        abort();
    for (size_t i = 0; i < n; i++)
        if (old[i] && old[i] != GONE)
            put(old[i]);
    __real_free(old);
}

static void *counted(void *p)
{
    if (!p)
        return NULL;
    if (2 * (memory.used + 1) > memory.cap)
        rebuild();
    put(p);
    memory.live++;
    return p;
}

/* A library's block that we free is none of those counted. */
static void uncount(const void *p)
{
    if (!p || !memory.blocks)
        return;
    for (size_t i = place_of(p); memory.blocks[i]; i = (i + 1) & (memory.cap - 1))
        if (memory.blocks[i] == p) {
            memory.blocks[i] = GONE;
            memory.live--;
            return;
        }
}

/* --- the wrappers --- */

void *__wrap_malloc(size_t n)
{
    return granted() ? counted(__real_malloc(n)) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return granted() ? counted(__real_calloc(n, size)) : NULL;
}

void *__wrap_realloc(void *p, size_t n)
{
    if (!granted())
        return NULL;
    uintptr_t was = (uintptr_t)p;
    void *q = __real_realloc(p, n);
    if (q)
        uncount((const void *)was);
    return counted(q);
}

void __wrap_free(void *p)
{
    uncount(p);
    __real_free(p);
}

char *__wrap_strndup(const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = __wrap_malloc(len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *__wrap_strdup(const char *s)
{
    return __wrap_strndup(s, strlen(s));
}

__attribute__((format(printf, 2, 0))) static int print(char **out, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    *out = n >= 0 ? __wrap_malloc((size_t)n + 1) : NULL;
    if (*out)
        vsnprintf(*out, (size_t)n + 1, fmt, again);
    va_end(again);
    return *out ? n : -1;
}

int __wrap_asprintf(char **out, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = print(out, fmt, ap);
    va_end(ap);
    return n;
}

int __wrap___asprintf_chk(char **out, int flag, const char *fmt, ...)
{
    va_list ap;
    (void)flag;
    va_start(ap, fmt);
    int n = print(out, fmt, ap);
    va_end(ap);
    return n;
}

XML_Parser __wrap_XML_ParserCreateNS(const XML_Char *encoding, XML_Char separator)
{
    return granted() ? __real_XML_ParserCreateNS(encoding, separator) : NULL;
}

/* --- what tests call --- */

/* jansson's blocks are malloc()'s with these functions as without them, so it matters to none of
 * them when this is called. */
static void tell_jansson(void)
{
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
}

void scarce_begin(int n, enum scarcity scarcity)
{
    tell_jansson();
    memory.scarce = true;
    memory.failed = false;
    memory.pauses = 0;
    memory.scarcity = scarcity;
    memory.left = n;
}

bool scarce_end(void)
{
    memory.scarce = false;
    return memory.failed;
}

void scarce_pause(void)
{
    memory.pauses++;
}

void scarce_resume(void)
{
    memory.pauses--;
}

long scarce_live(void)
{
    tell_jansson();
    return (long)memory.live;
}
