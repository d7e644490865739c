/* options.h - a program's command line as a table: --name value. */
#ifndef OPTIONS_H
#define OPTIONS_H

enum option_kind { OPTION_FLAG, OPTION_INT, OPTION_REAL, OPTION_TEXT };

struct option_row {
    const char *name; /* NULL ends the table */
    enum option_kind kind;
    void *at; /* bool, int, double or const char * */
    double min, max;
};

/* Sets what is named; the rest keeps its value. Anything wrong ends the program with code 2. */
void options_read(const struct option_row *rows, char **argv, const char *usage);
_Noreturn void options_usage(const char *usage);

#endif
