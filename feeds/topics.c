/* The regions are those that the Junta Nacional del Cafe and Peru's ministry of agriculture report
 * on. Bounds leave the harvests of the last 15 years room to halve and to double; a figure in bags
 * of 60 kg or in quintals in place of tonnes is 17 or 22 times too large and falls outside. */
#include "topics.h"

#include <stddef.h>
#include <string.h>

#include "attrs.h"

static const struct topic topics[] = {
    {"amazonas",    "Amazonas, Peru",   TOPIC_PERU,    5000,    150000 },
    {"ayacucho",    "Ayacucho, Peru",   TOPIC_PERU,    300,     25000  },
    {"brazil",      "Brazil",           TOPIC_COUNTRY, 1500000, 6000000},
    {"cajamarca",   "Cajamarca, Peru",  TOPIC_PERU,    20000,   250000 },
    {"colombia",    "Colombia",         TOPIC_COUNTRY, 300000,  1500000},
    {"cusco",       "Cusco, Peru",      TOPIC_PERU,    5000,    120000 },
    {"ethiopia",    "Ethiopia",         TOPIC_COUNTRY, 200000,  1200000},
    {"honduras",    "Honduras",         TOPIC_COUNTRY, 150000,  800000 },
    {"huanuco",     "Huanuco, Peru",    TOPIC_PERU,    500,     30000  },
    {"india",       "India",            TOPIC_COUNTRY, 150000,  700000 },
    {"indonesia",   "Indonesia",        TOPIC_COUNTRY, 300000,  1500000},
    {"junin",       "Junin, Peru",      TOPIC_PERU,    15000,   220000 },
    {"mexico",      "Mexico",           TOPIC_COUNTRY, 100000,  500000 },
    {"news/coffee", "",                 TOPIC_NEWS,    0,       0      },
    {"news/peru",   "Peru",             TOPIC_NEWS,    0,       0      },
    {"pasco",       "Pasco, Peru",      TOPIC_PERU,    1000,    50000  },
    {"peru",        "Peru",             TOPIC_PERU,    120000,  700000 },
    {"piura",       "Piura, Peru",      TOPIC_PERU,    300,     25000  },
    {"puno",        "Puno, Peru",       TOPIC_PERU,    300,     30000  },
    {"san_martin",  "San Martin, Peru", TOPIC_PERU,    20000,   280000 },
    {"uganda",      "Uganda",           TOPIC_COUNTRY, 150000,  900000 },
    {"vietnam",     "Vietnam",          TOPIC_COUNTRY, 800000,  3500000},
};

const struct topic *topic_find(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(topics); i++)
        if (strcmp(topics[i].key, key) == 0)
            return &topics[i];
    return NULL;
}
