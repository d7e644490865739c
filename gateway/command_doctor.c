/* command_doctor.c - everything that can be known before, or while, a gateway runs: what is wrong,
 * and the way out. Exit 1 when anything is a problem; warnings are none. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "doctor.h"
#include "doctor_print.h"
#include "log.h"
#include "screen.h"
#include "settings.h"

static bool print(const struct findings *found, const char *origin, bool json)
{
    struct buf text = {0};
    const struct table_style style = {.width = screen_columns(), .colour = screen_wants_colour()};
    if (json)
        doctor_print_json(found, origin, &text);
    else
        doctor_print_text(found, &style, &text);
    bool ok = !text.failed;
    if (ok && text.len > 0)
        fwrite(text.p, 1, text.len, stdout);
    fflush(stdout);
    buf_fini(&text);
    return ok;
}

static int examine(uv_loop_t *loop, const struct options *o)
{
    char origin[SETTINGS_ORIGIN_MAX];
    struct buf problems = {0}, warnings = {0};
    struct findings found = {0};
    int exit_code = 1;
    struct doctor_facts *f = calloc(1, sizeof *f);
    struct config *c = f ? settings_read(o, origin, &problems, &warnings) : NULL;
    if (f) {
        f->origin = origin;
        f->config = c;
        f->problems = &problems;
        f->warnings = &warnings;
        f->asked_providers = o->providers;
        doctor_look(loop, f);
        doctor_judge(f, &found);
        doctor_facts_fini(f);
    }
    if (!f || found.failed || !print(&found, origin, o->json))
        fprintf(stderr, "pricegate: out of memory\n");
    else
        exit_code = findings_worst(&found) == FINDING_PROBLEM ? 1 : 0;
    findings_fini(&found);
    config_free(c);
    buf_fini(&problems);
    buf_fini(&warnings);
    free(f);
    return exit_code;
}

int command_doctor(const struct options *o)
{
    uv_loop_t loop;
    signal(SIGPIPE, SIG_IGN); /* a Redis that goes while it is asked */
    log_setup(LOG_ERROR, true);
    int rc = uv_loop_init(&loop);
    if (rc != 0) {
        fprintf(stderr, "pricegate: event loop: %s\n", uv_strerror(rc));
        return 1;
    }
    int exit_code = examine(&loop, o);
    /* A lookup still under way: a normal exit would wait for its thread, however long that takes.
     */
    if (uv_loop_close(&loop) == UV_EBUSY)
        _exit(exit_code);
    return exit_code;
}
