#include "role.h"

#include <string.h>

static const char *const names[] = {"none", "viewer", "analyst", "admin"};

const char *role_name(enum role r)
{
    return names[r];
}

int role_parse(const char *name)
{
    for (int i = ROLE_VIEWER; i <= ROLE_ADMIN; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}
