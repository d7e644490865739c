#include "metrics.h"

#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "job.h"

static const size_t ROWS_MAX = 4096;

static const double bounds[HISTOGRAM_BUCKETS] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                 0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                 1,      2.5,     5,      30};

static const struct {
    const char *name, *type, *label, *label2, *help;
} families[METRIC_FAMILIES] = {
#define X(id, type, name, label, label2, help) [METRIC_##id] = {name, #type, label, label2, help},
    METRICS_LABELLED(X)
#undef X
};

void metrics_init(struct metrics *m)
{
    static const char *const causes[] = {"flush", "interval", "slow"};
    *m = (struct metrics){.started_ms = clock_wall_ms()};
    for (size_t i = 0; i < ARRAY_LEN(causes); i++)
        metrics_add(m, METRIC_CONFLATED, causes[i], NULL, 0);
    for (enum job j = 0; j < JOBS_LEN; j++)
        for (enum job_status s = JOB_SUCCESS; s <= JOB_FAILED; s++)
            metrics_add(m, METRIC_JOB_RUNS, job_name(j), job_status_name(s), 0);
    static const char *const channels[] = {"mail", "webhook"};
    static const char *const results[] = {"sent", "failed", "dropped"};
    for (size_t i = 0; i < ARRAY_LEN(channels); i++)
        for (size_t k = 0; k < ARRAY_LEN(results); k++)
            metrics_add(m, METRIC_NOTIFICATIONS, channels[i], results[k], 0);
}

void metrics_fini(struct metrics *m)
{
    for (size_t f = 0; f < METRIC_FAMILIES; f++) {
        for (size_t i = 0; i < m->families[f].len; i++) {
            free(m->families[f].rows[i].label);
            free(m->families[f].rows[i].label2);
        }
        free(m->families[f].rows);
    }
    *m = (struct metrics){0};
}

static bool row_is(const struct metric_row *r, const char *label, const char *label2)
{
    return strcmp(r->label, label) == 0 && (!label2 || strcmp(r->label2, label2) == 0);
}

static struct metric_row *find_row(const struct metrics *m, enum metric_family f, const char *label,
                                   const char *label2)
{
    for (size_t i = 0; i < m->families[f].len; i++)
        if (row_is(&m->families[f].rows[i], label, label2))
            return &m->families[f].rows[i];
    return NULL;
}

/* The row behind the last one first: who sets a thousand rows sets them in the same order each
 * time. */
static struct metric_row *find_next(struct metrics *m, enum metric_family f, const char *label,
                                    const char *label2)
{
    size_t next = m->families[f].next;
    bool hit = next < m->families[f].len && row_is(&m->families[f].rows[next], label, label2);
    struct metric_row *r = hit ? &m->families[f].rows[next] : find_row(m, f, label, label2);
    if (r)
        m->families[f].next = (size_t)(r - m->families[f].rows) + 1;
    return r;
}

static struct metric_row *make_row(struct metrics *m, enum metric_family f, const char *label,
                                   const char *label2)
{
    struct metric_row *r = find_next(m, f, label, label2);
    if (r || m->families[f].len == ROWS_MAX)
        return r;
    if (m->families[f].len == m->families[f].cap) {
        size_t cap = m->families[f].cap ? 2 * m->families[f].cap : 8;
        struct metric_row *rows = realloc(m->families[f].rows, cap * sizeof *rows);
        if (!rows)
            return NULL;
        m->families[f].rows = rows;
        m->families[f].cap = cap;
    }
    struct metric_row row = {strdup(label), label2 ? strdup(label2) : NULL, 0};
    if (!row.label || (label2 && !row.label2)) {
        free(row.label);
        free(row.label2);
        return NULL;
    }
    r = &m->families[f].rows[m->families[f].len++];
    *r = row;
    return r;
}

void metrics_add(struct metrics *m, enum metric_family f, const char *label, const char *label2,
                 double delta)
{
    struct metric_row *r = make_row(m, f, label, label2);
    if (r)
        r->value += delta;
}

void metrics_set(struct metrics *m, enum metric_family f, const char *label, const char *label2,
                 double value)
{
    struct metric_row *r = make_row(m, f, label, label2);
    if (r)
        r->value = value;
}

/* The last row takes the place of one that goes. */
void metrics_forget(struct metrics *m, enum metric_family f, const char *label)
{
    struct metric_row *r;
    while ((r = find_row(m, f, label, NULL))) {
        free(r->label);
        free(r->label2);
        *r = m->families[f].rows[--m->families[f].len];
    }
}

double metrics_get(const struct metrics *m, enum metric_family f, const char *label,
                   const char *label2)
{
    const struct metric_row *r = find_row(m, f, label, label2);
    return r ? r->value : 0;
}

void histogram_observe(struct histogram *h, double seconds)
{
    int i = 0;
    while (i < HISTOGRAM_BUCKETS && seconds > bounds[i])
        i++;
    h->counts[i]++;
    h->count++;
    h->sum_s += seconds;
}

static void add_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_plain(struct buf *out, const char *name, const char *type, const char *help,
                      double value)
{
    add_head(out, name, type, help);
    buf_addf(out, "%s %.17g\n", name, value);
}

static void add_histogram(struct buf *out, const char *name, const char *help,
                          const struct histogram *h)
{
    uint64_t below = 0;
    add_head(out, name, "histogram", help);
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += h->counts[i];
        buf_addf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds[i], (unsigned long long)below);
    }
    buf_addf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.9g\n%s_count %llu\n", name,
             (unsigned long long)h->count, name, h->sum_s, name, (unsigned long long)h->count);
}

static void add_label(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            buf_addc(out, '\\');
        if (*value == '\n')
            buf_adds(out, "\\n");
        else
            buf_addc(out, *value);
    }
    buf_addc(out, '"');
}

static void add_family(struct buf *out, const struct metrics *m, size_t f)
{
    add_head(out, families[f].name, families[f].type, families[f].help);
    for (size_t i = 0; i < m->families[f].len; i++) {
        const struct metric_row *r = &m->families[f].rows[i];
        buf_addf(out, "%s{", families[f].name);
        add_label(out, families[f].label, r->label);
        if (families[f].label2) {
            buf_addc(out, ',');
            add_label(out, families[f].label2, r->label2);
        }
        buf_addf(out, "} %.17g\n", r->value);
    }
}

static double resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    char text[128] = "";
    if (!f)
        return 0;
    if (!fgets(text, sizeof text, f))
        text[0] = '\0';
    fclose(f);
    char *second = strchr(text, ' ');
    return second ? strtod(second, NULL) * (double)sysconf(_SC_PAGESIZE) : 0;
}

static double open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    double n = -3; /* ".", ".." and the directory itself */
    if (!d)
        return 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double max_fds(void)
{
    struct rlimit l;
    return getrlimit(RLIMIT_NOFILE, &l) == 0 ? (double)l.rlim_cur : 0;
}

static void add_process(struct buf *out, const struct metrics *m)
{
    add_head(out, "pricegate_build_info", "gauge", "always 1; version is what its label says");
    buf_adds(out, "pricegate_build_info{version=\"" PRICEGATE_VERSION "\"} 1\n");
    add_plain(out, "process_start_time_seconds", "gauge",
              "when it was started, in seconds since 1970", (double)m->started_ms / 1000);
    add_plain(out, "process_resident_memory_bytes", "gauge", "resident memory", resident_bytes());
    add_plain(out, "process_cpu_seconds_total", "counter", "CPU time used", cpu_seconds());
    add_plain(out, "process_open_fds", "gauge", "open file descriptors", open_fds());
    add_plain(out, "process_max_fds", "gauge", "how many there may be", max_fds());
}

void metrics_render(const struct metrics *m, struct buf *out)
{
#define X(field, type, name, help) add_plain(out, name, #type, help, (double)m->field);
    METRICS_PLAIN(X)
#undef X
    for (size_t f = 0; f < METRIC_FAMILIES; f++)
        add_family(out, m, f);
#define X(field, name, help) add_histogram(out, name, help, &m->field);
    METRICS_HISTOGRAMS(X)
#undef X
    add_process(out, m);
}
