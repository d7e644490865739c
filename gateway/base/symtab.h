/* symtab.h - symbol to small number, by hash.
 *
 * Filled once from the configuration; the number is the instrument's index there. The strings are
 * borrowed and must outlive the table. Not a general map: no removal. */
#ifndef PRICEGATE_SYMTAB_H
#define PRICEGATE_SYMTAB_H

#include <stddef.h>

#include "attrs.h"

struct symtab;

struct symtab *symtab_new(size_t max_entries); /* NULL: out of memory */
void symtab_free(struct symtab *t);            /* NULL is fine */

/* Returns 0, or -1 when the symbol is there already. At most max_entries calls may succeed. */
int symtab_add(struct symtab *t, const char *symbol, int id) MUST_CHECK;
/* The number, or -1. */
int symtab_find(const struct symtab *t, const char *symbol, size_t len);

#endif
