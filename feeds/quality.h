/* quality.h - is this record a price we may put our name to? Pure.
 *
 * The rules are a table, in the order in which they are asked; a rule that rejects ends the record,
 * one that drops takes members out of it. Prices are in the major currency (exact decimals) from
 * the first rule on. A jump (over max_jump_pct, or within 1 % of x100, /100 or 1/x of the held
 * price) is held back until a second source, or two more polls of the same one, agree within 1 %;
 * agreement of the same source alone counts only inside the configured range, because a unit bug
 * agrees with itself for ever; and for x100, /100 and 1/x never again once the held price was
 * confirmed by a few polls. (Without a range it counts for a plain jump, never for x100, /100
 * and 1/x.)
 *
 * A record without currency takes the instrument's. Observations have rules of their own, in the
 * same table: each rule says which kind it is for. */
#ifndef PRICEGATE_QUALITY_H
#define PRICEGATE_QUALITY_H

#include "config.h"
#include "err.h"
#include "provider.h"

/* What is remembered per instrument between polls. Zeroed at first. */
struct quality_memory {
    bool held;                 /* there is an accepted price, ours or another program's */
    struct decimal held_price; /* what the next is compared with; not given: nothing, as at first */
    int64_t held_ts_ms;
    int confirmed; /* polls that said this price, or one of the same unit, in a row; up to a few */
    struct decimal doubted; /* a jump that waits for agreement; given or not */
    int doubted_source;     /* index in the chain */
    int doubted_polls;      /* how often that source has said so */
};

enum quality_severity { QUALITY_REJECT, QUALITY_DROP };

/* For pipeline_data_quality_checks_total, the dead letters and data-health. */
struct quality_rule {
    const char *name, *applies_to;
    enum quality_severity severity;
};
size_t quality_rules(void);                         /* how many there are, at most 32 */
struct quality_rule quality_rule_at(size_t number); /* in the order in which they are asked */

struct quality_result {
    enum failure failure; /* FAIL_NONE: accepted. FAIL_OLDER, else FAIL_BAD_SCHEMA */
    const char *rule;     /* that rejected the record; NULL when accepted */
    struct err why;
    uint32_t passed, failed; /* a bit for each rule (by number) that was asked, dropping ones too */
};

/* Normalises *rec in place (price members and currency to the major unit) and checks it. Does not
 * change what is held: call quality_accept() once the record was published or taken from the bus.
 */
struct quality_result quality_check(const struct instrument *in, struct quality_memory *m,
                                    int source_index, struct record *rec, int64_t now_ms);
void quality_accept(struct quality_memory *m, struct decimal price, int64_t ts_ms);
/* A poll brought the held price, or one of the same unit. */
void quality_confirm(struct quality_memory *m);
/* Our clock was set: what is held and lies in the future by it keeps no other from its place. */
void quality_clock_set(struct quality_memory *m, int64_t wall_ms);
/* The same for a benchmark: its time is held, its price is nothing to compare others with. */
void quality_accept_benchmark(struct quality_memory *m, int64_t ts_ms);

/* units.c: minor unit to major: "USX" -> "USD", 2 places. 0 and *places = 0 for a currency that is
 * already a major unit (three capitals); -1 for a code that is neither. */
int units_major(const char *currency, char major[static 8], int *places) MUST_CHECK;

#endif
