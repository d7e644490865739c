#include "sim_fault.h"

#include <string.h>

#include "attrs.h"

static const struct {
    const char *name;
    enum sim_fault fault;
} faults[] = {
    {"late",   SIM_LATE  },
    {"silent", SIM_SILENT},
    {"wrong",  SIM_WRONG },
};

enum { INVERSE_DIGITS = 6 };

bool sim_fault_of(const char *symbol, size_t *len, enum sim_fault *fault)
{
    const char *mark = strrchr(symbol, '!'), *name = mark ? mark + 1 : "";
    *len = strlen(symbol);
    *fault = SIM_HEALTHY;
    if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz")])
        return true;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        if (strcmp(faults[i].name, name) != 0)
            continue;
        *len = (size_t)(mark - symbol);
        *fault = faults[i].fault;
        return true;
    }
    return false;
}

struct sim_trouble sim_fault_at(uint64_t hash, int64_t now_ms)
{
    int64_t t = now_ms + (int64_t)(hash % SIM_FAULT_EVERY_MS);
    int64_t into_ms = t % SIM_FAULT_EVERY_MS;
    return (struct sim_trouble){.on = into_ms < SIM_FAULT_LASTS_MS,
                                .since_ms = now_ms - into_ms,
                                .turn = t / SIM_FAULT_EVERY_MS};
}

struct decimal sim_fault_wrong(struct decimal price, int64_t turn)
{
    struct decimal wrong = price;
    switch (turn % 4) {
    case 0:
        wrong.coef *= 100;
        break;
    case 1:
        REQUIRE(decimal_div(decimal_from_int(1), price, INVERSE_DIGITS, &wrong) == 0);
        break;
    case 2:
        REQUIRE(decimal_shift_down(price, 2, &wrong) == 0);
        break;
    default:
        wrong.coef = -wrong.coef;
    }
    return wrong;
}
