/* library.h - a library that the program was built with, and the one that it runs with. */
#ifndef PRICEGATE_LIBRARY_H
#define PRICEGATE_LIBRARY_H

#define LIBRARY_VERSION_MAX 32

struct library {
    const char *name;
    char built[LIBRARY_VERSION_MAX]; /* "4.1.6" */
    char runs[LIBRARY_VERSION_MAX];  /* "" = it does not say */
};

#endif
