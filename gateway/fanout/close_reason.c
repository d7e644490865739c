#include "close_reason.h"

static const struct {
    int code;
    const char *name;
} rows[] = {
#define X(id, code, name) [id] = {code, name},
    CLOSE_REASONS(X)
#undef X
};

int close_reason_code(enum close_reason r)
{
    return rows[r].code;
}

const char *close_reason_name(enum close_reason r)
{
    return rows[r].name;
}
