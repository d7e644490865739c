#include "options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void options_usage(const char *usage)
{
    fprintf(stderr, "usage: %s %s", program_invocation_short_name, usage);
    exit(2);
}

static const struct option_row *find(const struct option_row *rows, const char *arg)
{
    if (strncmp(arg, "--", 2) != 0)
        return NULL;
    while (rows->name && strcmp(rows->name, arg + 2) != 0)
        rows++;
    return rows->name ? rows : NULL;
}

static double number(const struct option_row *row, const char *text)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !(value >= row->min && value <= row->max)) {
        fprintf(stderr, "%s: --%s must be %g..%g, not %s\n", program_invocation_short_name,
                row->name, row->min, row->max, text);
        exit(2);
    }
    return value;
}

static void set(const struct option_row *row, const char *text)
{
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->at = true;
        break;
    case OPTION_INT:
        *(int *)row->at = (int)number(row, text);
        break;
    case OPTION_REAL:
        *(double *)row->at = number(row, text);
        break;
    case OPTION_TEXT:
        *(const char **)row->at = text;
        break;
    }
}

void options_read(const struct option_row *rows, char **argv, const char *usage)
{
    while (*++argv) {
        const struct option_row *row = find(rows, *argv);
        if (!row || (row->kind != OPTION_FLAG && !argv[1]))
            options_usage(usage);
        set(row, row->kind == OPTION_FLAG ? NULL : *++argv);
    }
}
