/* What the doctor says, without memory: all of it, or that it could not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>

#include "doctor.h"
#include "doctor_print.h"
#include "scarce.h"
#include "sweep.h"

struct examined {
    struct config config;
    struct doctor_facts facts;
    struct buf none;
    struct buf text;
};

static void *make(void)
{
    struct examined *e = calloc(1, sizeof *e);
    struct doctor_facts *f = &e->facts;
    e->config.redis.url = "redis://x";
    e->config.listen.tls_cert = "a.pem";
    f->config = &e->config;
    f->origin = "desk.json";
    f->problems = f->warnings = &e->none;
    snprintf(f->redis.why, sizeof f->redis.why, "Connection refused");
    err_set(&f->tls.unusable, "a.pem: No such file or directory");
    for (int i = 0; i < LIBRARIES_LEN; i++)
        f->libraries[i] = (struct library){"a library", "4.1.6", "4.1.6"};
    return e;
}

static bool work(void *o, bool json)
{
    struct examined *e = o;
    struct findings found = {0};
    const struct table_style style = {.width = 60, .colour = true};
    buf_fini(&e->text);
    doctor_judge(&e->facts, &found);
    if (json)
        doctor_print_json(&found, "desk.json", &e->text);
    else
        doctor_print_text(&found, &style, &e->text);
    bool ok = !found.failed && !e->text.failed;
    findings_fini(&found);
    return ok;
}

static bool text_work(void *o)
{
    return work(o, false);
}

static bool json_work(void *o)
{
    return work(o, true);
}

static void tell(void *o, struct buf *told)
{
    const struct examined *e = o;
    buf_add(told, e->text.p, e->text.len);
}

static void drop(void *o)
{
    struct examined *e = o;
    buf_fini(&e->text);
    free(e);
}

static void each_allocation_fails_once(void **state)
{
    static const struct sweep all[] = {
        {"for people",   make, text_work, tell, drop},
        {"for machines", make, json_work, tell, drop},
    };
    (void)state;
    sweep_run_all(all, ARRAY_LEN(all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_fails_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
