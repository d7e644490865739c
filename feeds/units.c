/* units.c - currency codes for hundredths of a currency.
 *
 * Exchanges quote some things in cents and pence and mark it by a code of their own. Reading such a
 * price as dollars is the classic mistake of this trade (coffee at 294 dollars a pound), so codes
 * are known or refused, never guessed. */
#include <string.h>

#include "quality.h"

static const struct {
    const char *minor, *major;
    int places;
} units[] = {
    {"GBX", "GBP", 2}, /* pence sterling */
    {"GBp", "GBP", 2}, /* the same */
    {"ILA", "ILS", 2}, /* agorot */
    {"USX", "USD", 2}, /* US cents: coffee, sugar, cotton, grains */
    {"ZAC", "ZAR", 2}, /* South African cents */
    {"ZAc", "ZAR", 2}, /* the same */
};

int units_major(const char *currency, char major[static 8], int *places)
{
    *places = 0;
    major[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcmp(units[i].minor, currency) == 0) {
            snprintf(major, 8, "%s", units[i].major);
            *places = units[i].places;
            return 0;
        }
    }
    size_t capitals = strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (capitals != 3 || currency[3] != '\0')
        return -1;
    snprintf(major, 8, "%s", currency);
    return 0;
}
