/* table.c - the providers there are. Adding one is one line in the list, in alphabetical order. */
#include <string.h>

#include "provider.h"

#define PROVIDERS(X)                                                                               \
    X(alphavantage)                                                                                \
    X(coinbase)                                                                                    \
    X(ecb)                                                                                         \
    X(eia)                                                                                         \
    X(exchangerate)                                                                                \
    X(finnhub)                                                                                     \
    X(frankfurter)                                                                                 \
    X(fred)                                                                                        \
    X(ico)                                                                                         \
    X(nasdaqdatalink)                                                                              \
    X(oanda)                                                                                       \
    X(openmeteo)                                                                                   \
    X(perplexity)                                                                                  \
    X(sim)                                                                                         \
    X(stooq)                                                                                       \
    X(twelvedata)                                                                                  \
    X(worldbank)                                                                                   \
    X(yahoo)

#define X(name) extern const struct provider provider_##name;
PROVIDERS(X)
#undef X

const struct provider *const providers[] = {
#define X(name) &provider_##name,
    PROVIDERS(X)
#undef X
};
const size_t providers_len = ARRAY_LEN(providers);

const struct provider *provider_find(const char *name)
{
    for (size_t i = 0; i < providers_len; i++)
        if (strcmp(providers[i]->rule.name, name) == 0)
            return providers[i];
    return NULL;
}
