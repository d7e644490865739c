/* status_view.h - what `pricegate status` shows: documents in, lines out. Pure.
 *
 * FRESH and STALE, age, price with its unit, source, next run; suspect prices; jobs; providers with
 * breaker, credits and reliability. Words always, colours where there are some. What a gateway of
 * another version does not say is a "-" or left out. */
#ifndef PRICEGATE_STATUS_VIEW_H
#define PRICEGATE_STATUS_VIEW_H

#include "buf.h"
#include "status_docs.h"
#include "table.h"

/* Appends all of it. */
void status_view(const struct status_docs *d, const char *url, const struct table_style *style,
                 struct buf *out);

#endif
