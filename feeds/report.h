/* report.h - what a language model wrote, as an observation.
 *
 * It is asked for one JSON object: figures of a harvest, the crop year they are for, the day they
 * are of, and an outlook in words. What comes is text of a machine that guesses, fed by pages that
 * anybody may have written: everything in it is checked, and what is not certain to be sane is left
 * out. Never a price. Pure. */
#ifndef PRICEGATE_REPORT_H
#define PRICEGATE_REPORT_H

#include "provider.h"
#include "topics.h"

/* The JSON schema to ask for, by kind of topic; constant text. */
const char *report_schema(const struct topic *topic);

/* Reads what was written (any bytes; NUL behind them) into *out, which is zeroed. False with the
 * failure in *why: bad_schema when it is no such object, no_data when nothing in it can be used. */
bool report_read(const char *text, size_t len, const struct topic *topic, int64_t now_ms,
                 struct observation *out, struct answer *why) MUST_CHECK;

#endif
