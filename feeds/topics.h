/* topics.h - what a language model with a search engine is asked about: a fixed list.
 *
 * Each topic is a key (the symbol in a configuration), the name of its region, the question, and
 * what would be plausible. Questions are texts of ours alone: nothing of a user, of a configuration
 * or of a provider gets into them. Constant data. */
#ifndef PRICEGATE_TOPICS_H
#define PRICEGATE_TOPICS_H

#include <stdbool.h>

enum topic_kind {
    TOPIC_PERU,    /* a region of Peru, or all of it */
    TOPIC_COUNTRY, /* another country that grows coffee */
    TOPIC_NEWS,    /* words alone, no figures */
};

struct topic {
    const char *key;    /* "cajamarca", "brazil", "news/coffee" */
    const char *region; /* "Cajamarca, Peru"; "" = of no region */
    enum topic_kind kind;
    double min_t, max_t; /* tonnes of green coffee a year: beyond them a figure is an error (of
                            unit, mostly) */
};

const struct topic *topic_find(const char *key); /* NULL: no such */

#endif
