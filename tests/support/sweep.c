#include "sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "scarce.h"

enum { ALLOCATIONS_MAX = 1000000 }; /* a work that never gets to its end */

struct sweeping {
    const struct sweep *s;
    enum scarcity scarcity;
    int granted; /* how many allocations succeed */
    struct buf want;
};

static void stop(const struct sweeping *w, const char *why, const char *told)
{
    fail_msg("%s, allocation %d%s failing: %s\n  told %s\n  want %s", w->s->what, w->granted + 1,
             w->scarcity == SCARCE_ONCE ? "" : " and all behind it", why, told ? told : "nothing",
             w->want.p ? w->want.p : "nothing");
}

static void tell(const struct sweep *s, void *o, struct buf *told)
{
    buf_clear(told);
    buf_adds(told, "");
    if (s->tell)
        s->tell(o, told);
}

static void check_told(const struct sweeping *w, void *o, const char *when)
{
    struct buf told = {0};
    tell(w->s, o, &told);
    if (strcmp(told.p, w->want.p) != 0)
        stop(w, when, told.p);
    buf_fini(&told);
}

/* False: nothing failed any more. */
static bool run_once(const struct sweeping *w)
{
    const struct sweep *s = w->s;
    long before = scarce_live();
    void *o = s->make ? s->make() : NULL;
    scarce_begin(w->granted, w->scarcity);
    bool done = s->work(o), failed = scarce_end();
    if (done)
        check_told(w, o, "something is missing, and nobody said so");
    else if (!failed)
        stop(w, "it could not, though there was memory", NULL);
    else if (!s->work(o))
        stop(w, "cannot be used any more, with memory", NULL);
    else
        check_told(w, o, "used again, with memory, it does something else");
    if (s->drop)
        s->drop(o);
    if (scarce_live() != before)
        stop(w, "memory was not given back", NULL);
    return failed;
}

static void see_undisturbed(struct sweeping *w)
{
    void *o = w->s->make ? w->s->make() : NULL;
    assert_true(w->s->work(o));
    tell(w->s, o, &w->want);
    if (w->s->drop)
        w->s->drop(o);
}

void sweep_run(const struct sweep *s)
{
    struct sweeping w = {.s = s};
    see_undisturbed(&w);
    for (w.scarcity = SCARCE_ONCE; w.scarcity <= SCARCE_FOR_GOOD; w.scarcity++) {
        w.granted = 0;
        while (run_once(&w))
            assert_in_range(w.granted++, 0, ALLOCATIONS_MAX);
        assert_true(w.granted > 0); /* or it tests nothing */
    }
    buf_fini(&w.want);
}

void sweep_run_all(const struct sweep *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sweep_run(&list[i]);
}
