/* sim_fault.h - the simulated market's bad sources: which symbol fails, how, and when. Pure.
 *
 * A simulated symbol may end in a fault, "coffee!wrong": the price of coffee, but from a source
 * that fails for 30 s of every 2 minutes. When its 30 s begin follows from the symbol, so the
 * sources of a page do not all fail together, and whoever looks finds one of several failing at any
 * time.
 *
 *   !late    goes on answering with the price, and its time, of the moment the trouble began
 *   !silent  does not answer: timeout
 *   !wrong   a price in the wrong unit or sense, another one each time: x 100, inverted, / 100,
 *            negative. All of it is for the rules of quality to hold back.
 *
 * Only small letters behind the last '!' name a fault; KC1! and ES!1 are symbols like any other. */
#ifndef PRICEGATE_SIM_FAULT_H
#define PRICEGATE_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decimal.h"

#define SIM_FAULT_EVERY_MS 120000
#define SIM_FAULT_LASTS_MS 30000

enum sim_fault { SIM_HEALTHY, SIM_LATE, SIM_SILENT, SIM_WRONG };

/* Parts a symbol: the first *len bytes name the price. False: it names a fault there is not. */
bool sim_fault_of(const char *symbol, size_t *len, enum sim_fault *fault);

struct sim_trouble {
    bool on;
    int64_t since_ms; /* when it began; while on */
    int64_t turn;     /* counts the times */
};
/* The schedule. hash: of the whole symbol. */
struct sim_trouble sim_fault_at(uint64_t hash, int64_t now_ms);

/* What a wrong source makes of a positive price in this turn. */
struct decimal sim_fault_wrong(struct decimal price, int64_t turn);

#endif
