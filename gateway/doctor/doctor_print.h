/* doctor_print.h - the findings, for people and for machines. Pure. */
#ifndef PRICEGATE_DOCTOR_PRINT_H
#define PRICEGATE_DOCTOR_PRINT_H

#include "buf.h"
#include "finding.h"
#include "table.h"

/* Groups of findings, the advice below each, and a count at the end. Lines are wrapped to the
 * style's width where it has one. */
void doctor_print_text(const struct findings *f, const struct table_style *style, struct buf *out);

/* {"version","config","state","counts":{...},"findings":[{"check","state","message","advice"}]} */
void doctor_print_json(const struct findings *f, const char *config, struct buf *out);

#endif
