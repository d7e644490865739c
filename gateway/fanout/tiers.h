/* tiers.h - the market as it is, and the market as it was N seconds ago.
 *
 * Who may not see prices of the moment sees the same market later, and exactly by so much later:
 * each configured delay is a fan-out of its own, fed through a delay line, whose clock runs that
 * much behind. So states follow as they did then, a price is called `delayed`, and it says by how
 * much (`delayed_s`). Everything else about a client is the same in every tier. Tier 0 is the
 * market as it is. Loop thread only. */
#ifndef PRICEGATE_TIERS_H
#define PRICEGATE_TIERS_H

#include "fanout.h"
#include "instrument_map.h"

struct tiers;

/* One tier for each delay in the configuration (auth.delay_s, auth.keys[].delay_s). As
 * fanout_new(). */
struct tiers *tiers_new(const struct config *config, struct metrics *metrics,
                        const struct fanout_ports *ports) MUST_CHECK;
void tiers_free(struct tiers *t); /* NULL is fine */

struct fanout *tiers_live(const struct tiers *t);
/* The market for this delay; one that is not configured gives the next longer one, or the longest:
 * never an earlier look than allowed. */
struct fanout *tiers_of(const struct tiers *t, int64_t delay_s);

/* A reload: t, new and of another configuration, takes over everything that `from` holds, prices
 * that wait for their time and clients included; `from` is to be freed then. Each client's grant is
 * looked at again by `renew` (auth_renew()): one that is given other prices by it (a delay) loses
 * its symbols, and is told; one whose grant is gone has 10 s for another. map: from the old
 * configuration to the new one. */
typedef int tiers_renew(void *ctx, const struct grant *old, struct grant *out);
void tiers_take_over(struct tiers *t, struct tiers *from, const struct instrument_map *map,
                     tiers_renew *renew, void *renew_ctx, struct moment now);

/* As fanout_item() and fanout_status() of the live tier; what was taken there reaches the others in
 * its time: so much after it was heard, now; or, of an item that was not heard but read (of any
 * age, after a restart), after it was received, by its own word. */
enum fanout_verdict tiers_item(struct tiers *t, int id, struct item *it, bool heard,
                               struct moment now);
int tiers_status(struct tiers *t, int id, const char *bytes, size_t len, int64_t wall_ms,
                 int64_t mono_ns, struct err *err) MUST_CHECK;

/* For all tiers together, each as the function of the fan-out of that name. */
void tiers_started(struct tiers *t, int64_t wall_ms);
int64_t tiers_turn(struct tiers *t, int64_t wall_ms, int64_t mono_ns);
void tiers_tick(struct tiers *t, int64_t wall_ms, int64_t mono_ns);
void tiers_clock_set(struct tiers *t, int64_t by_ms, int64_t wall_ms);
void tiers_goaway(struct tiers *t, const char *reason, int64_t spread_ms);
size_t tiers_clients(const struct tiers *t);
const size_t *tiers_watchers(struct tiers *t); /* valid until the next call */

#endif
