/* command_status.c - how a running gateway is doing, in the terminal: once, or redrawn.
 *
 * Asks the gateway over HTTP like any other caller (status_docs.h) and shows what it says
 * (status_view.h). Exit 1 when it cannot be reached or refuses. With --watch that holds for the
 * first time only: a gateway that goes away later is waited for, and the last picture stays, below
 * the reason. */
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "commands.h"
#include "log.h"
#include "screen.h"
#include "status_docs.h"
#include "status_view.h"

static const long WATCH_EVERY_S = 2;

static struct table_style style_now(void)
{
    return (struct table_style){.width = screen_columns(), .colour = screen_wants_colour()};
}

static int show_once(const struct status_asker *a)
{
    struct err err = {0};
    struct status_docs docs;
    struct buf text = {0};
    struct table_style style = style_now();
    if (status_docs_load(a, &docs, &err) != 0) {
        fprintf(stderr, "pricegate: %s\n", err.text);
        return 1;
    }
    status_view(&docs, a->url, &style, &text);
    if (!text.failed && text.len > 0)
        fwrite(text.p, 1, text.len, stdout);
    buf_fini(&text);
    status_docs_fini(&docs);
    return 0;
}

/* --- --watch --- */

struct watch {
    const struct status_asker *asker;
    struct screen screen;
    uv_timer_t timer;
    bool due;
    struct status_docs docs; /* the last that came */
    struct err err;          /* why there is no newer one; "" = there is */
};

static void on_due(uv_timer_t *t)
{
    struct watch *w = t->data;
    w->due = true;
    uv_stop(t->loop); /* or the turn would wait for sockets first */
}

/* False: not even the first time. */
static bool load(struct watch *w)
{
    struct status_docs docs;
    w->err.text[0] = '\0';
    if (status_docs_load(w->asker, &docs, &w->err) != 0)
        return w->docs.status != NULL;
    status_docs_fini(&w->docs);
    w->docs = docs;
    return true;
}

static void draw(struct watch *w)
{
    struct buf text = {0};
    struct table_style style = style_now();
    if (w->err.text[0])
        table_line(&text, &style, TINT_BAD, w->err.text);
    status_view(&w->docs, w->asker->url, &style, &text);
    if (!w->screen.is_terminal)
        buf_addc(&text, '\n');
    if (!text.failed)
        screen_draw(&w->screen, &text);
    buf_fini(&text);
}

static int watch(const struct status_asker *a, const char *seconds)
{
    uint64_t every_ms = (uint64_t)(*seconds ? strtol(seconds, NULL, 10) : WATCH_EVERY_S) * 1000;
    struct watch w = {.asker = a};
    if (!load(&w)) {
        fprintf(stderr, "pricegate: %s\n", w.err.text);
        return 1;
    }
    screen_open(&w.screen, a->loop);
    uv_timer_init(a->loop, &w.timer);
    w.timer.data = &w;
    while (!w.screen.quit) {
        draw(&w);
        w.due = false;
        uv_timer_start(&w.timer, on_due, every_ms, 0);
        while (!w.screen.quit && !w.due && !w.screen.redraw)
            uv_run(a->loop, UV_RUN_ONCE);
        if (w.due && !w.screen.quit)
            (void)load(&w);
    }
    screen_close(&w.screen);
    uv_close((uv_handle_t *)&w.timer, NULL);
    uv_run(a->loop, UV_RUN_NOWAIT); /* its handles lie on this stack */
    status_docs_fini(&w.docs);
    return 0;
}

int command_status(const struct options *o)
{
    struct err err = {0};
    uv_loop_t loop;
    int exit_code = 1;

    log_setup(LOG_ERROR, true);
    char *url = command_url(o);
    if (!url || uv_loop_init(&loop) != 0) {
        free(url);
        return 1;
    }
    for (size_t n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
        url[n - 1] = '\0';
    const struct status_asker asker = {&loop, fetch_new(&loop, &err), url, o->token};
    if (!asker.fetch)
        fprintf(stderr, "pricegate: %s\n", err.text);
    else
        exit_code = o->watch ? watch(&asker, o->watch) : show_once(&asker);
    if (asker.fetch)
        fetch_close(asker.fetch, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    free(url);
    return exit_code;
}
