/* load_report.h - the one line of JSON that bench_load prints. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load_conn.h"
#include "process.h"

struct load_report {
    double open_s;     /* until all were ready */
    double seconds;    /* of the count */
    double load_cpu_s; /* what we used ourselves in it */
    struct process_use before, opened, start,
        end;         /* the server: without clients, with all; count */
    int64_t missing; /* numbers that readers skipped; -1: they don't want every number */
    uint64_t silent; /* readers that got nothing */
    double storm_s;  /* until all who left were ready again; < 0: no storm */
    struct process_use storm_end;
};

void load_report_print(const struct load *l, const struct load_report *r,
                       const struct load_tally *count, const struct load_tally *storm);

#endif
