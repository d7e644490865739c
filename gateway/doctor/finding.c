#include "finding.h"

#include <stdarg.h>

static const char *const names[FINDING_STATES] = {
    [FINDING_OK] = "ok",
    [FINDING_UNKNOWN] = "unknown",
    [FINDING_WARNING] = "warning",
    [FINDING_PROBLEM] = "problem",
};

const char *finding_state_name(enum finding_state s)
{
    return names[s];
}

void findings_fini(struct findings *f)
{
    for (size_t i = 0; i < f->len; i++) {
        free(f->list[i].message);
        free(f->list[i].advice);
    }
    free(f->list);
    *f = (struct findings){0};
}

/* NULL: out of memory, which f remembers. */
__attribute__((format(printf, 2, 0))) static char *format(struct findings *f, const char *fmt,
                                                          va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, ap) >= 0)
        return text;
    f->failed = true;
    return NULL;
}

void findings_add(struct findings *f, enum finding_state state, const char *fmt, ...)
{
    if (f->len == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 32;
        struct finding *list = realloc(f->list, cap * sizeof *list);
        f->failed = f->failed || !list;
        if (!list)
            return;
        f->list = list;
        f->cap = cap;
    }
    va_list ap;
    va_start(ap, fmt);
    char *message = format(f, fmt, ap);
    va_end(ap);
    if (message)
        f->list[f->len++] = (struct finding){f->check, state, message, NULL};
}

void findings_advise(struct findings *f, const char *fmt, ...)
{
    if (f->len == 0 || f->failed)
        return;
    struct finding *last = &f->list[f->len - 1];
    va_list ap;
    va_start(ap, fmt);
    free(last->advice);
    last->advice = format(f, fmt, ap);
    va_end(ap);
}

size_t findings_count(const struct findings *f, enum finding_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < f->len; i++)
        n += f->list[i].state == state;
    return n;
}

enum finding_state findings_worst(const struct findings *f)
{
    enum finding_state worst = FINDING_OK;
    for (size_t i = 0; i < f->len; i++)
        worst = f->list[i].state > worst ? f->list[i].state : worst;
    return worst;
}
