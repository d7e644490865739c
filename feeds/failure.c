#include "failure.h"

static const struct {
    const char *name;
    bool counts;
} rows[] = {
#define X(id, name, counts) [id] = {name, counts},
    FAILURES(X)
#undef X
};

const char *failure_name(enum failure f)
{
    return rows[f].name;
}

bool failure_counts(enum failure f)
{
    return rows[f].counts;
}
