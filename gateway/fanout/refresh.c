/* The answer may take seconds, and the client may be gone by then. So what travels with the request
 * is a ticket: it knows its client only as long as that exists, and belongs to whoever answers. */
#include "refresh.h"

#include <string.h>

#include "port.h"
#include "selection.h"
#include "state.h"

struct refresh_ticket {
    struct refresh_ticket *next, **prev; /* in client.tickets */
    struct client *client;               /* NULL: gone */
    char id[PROTOCOL_ID_TEXT_MAX];
    struct buf rejected; /* elements that were refused without asking */
};

static struct refresh_ticket *ticket_new(struct client *c, const char *id, struct buf *rejected)
{
    struct refresh_ticket *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    *t = (struct refresh_ticket){.next = c->tickets, .prev = &c->tickets, .client = c};
    memcpy(t->id, id, strlen(id) + 1);
    t->rejected = *rejected;
    *rejected = (struct buf){0};
    if (c->tickets)
        c->tickets->prev = &t->next;
    c->tickets = t;
    return t;
}

static void ticket_unlink(struct refresh_ticket *t)
{
    *t->prev = t->next;
    if (t->next)
        t->next->prev = t->prev;
    t->client = NULL;
}

static void ticket_free(struct refresh_ticket *t)
{
    if (t->client)
        ticket_unlink(t);
    buf_fini(&t->rejected);
    free(t);
}

void refresh_forget(struct client *c)
{
    while (c->tickets)
        ticket_unlink(c->tickets);
}

static void answer(struct refresh_ticket *t, const struct refresh_result *results, size_t n)
{
    struct client *c = t->client;
    const struct config *config = c->f->config;
    struct buf *text = &c->f->text;
    const char *comma = "";

    buf_clear(text);
    protocol_begin(text, TYPE_REFRESHED, t->id);
    buf_adds(text, ",\"symbols\":[");
    for (size_t i = 0; i < n; i++) {
        const char *symbol = config->instruments[results[i].id].symbol;
        const char *message = results[i].message ? results[i].message : "no source answered";
        if (results[i].error) {
            protocol_add_rejected(&t->rejected, symbol, results[i].error, message);
            continue;
        }
        buf_adds(text, comma);
        buf_adds_json(text, symbol);
        comma = ",";
    }
    buf_addc(text, ']');
    protocol_add_array(text, "rejected", &t->rejected);
    protocol_end(text);
    if (t->rejected.failed)
        text->failed = true;
    client_send(c, text, c->f->mono_ns);
}

static void done(void *ctx, const struct refresh_result *results, size_t n)
{
    struct refresh_ticket *t = ctx;
    if (t->client)
        answer(t, results, n);
    ticket_free(t);
}

/* No polling half here: each symbol is answered as a disabled one would be. */
static void nobody_refreshes(const int *ids, size_t n, struct refresh_ticket *t)
{
    for (size_t i = 0; i < n; i++)
        protocol_add_rejected(&t->rejected, t->client->f->config->instruments[ids[i]].symbol,
                              "disabled", "this process does not poll");
    done(t, NULL, 0);
}

static void write_down(struct client *c, const struct selection *s)
{
    struct buf *names = &c->f->text;
    buf_clear(names);
    for (size_t i = 0; i < s->order_len; i++)
        buf_addf(names, "%s%s", i ? "," : "", c->f->config->instruments[s->order[i]].symbol);
    client_audit(c, "refresh", names->failed ? NULL : names->p, NULL);
}

void refresh_run(struct client *c, const struct command *cmd, struct moment now)
{
    const struct feed_port *feed = c->f->ports.feed;
    struct selection s;
    struct err err;
    struct refresh_ticket *t = NULL;
    enum selection_result rc = selection_init(&s, c->f->config, &c->grant, cmd->root, &err);

    if (rc == SELECTION_MALFORMED) {
        command_refuse(c, cmd->id, ERROR_BAD_MESSAGE, err.text, now.mono_ns);
        goto out;
    }
    if (rc == SELECTION_OK && s.order_len == 0) {
        command_refuse(c, cmd->id, ERROR_UNKNOWN_SYMBOL, "none of these symbols is configured here",
                       now.mono_ns);
        goto out;
    }
    if (rc == SELECTION_OK)
        t = ticket_new(c, cmd->id, &s.rejected);
    if (!t) {
        command_refuse(c, cmd->id, ERROR_INTERNAL, "out of memory", now.mono_ns);
        goto out;
    }
    write_down(c, &s);
    if (feed && feed->refresh)
        feed->refresh(feed->ctx, s.order, s.order_len, done, t);
    else
        nobody_refreshes(s.order, s.order_len, t);
out:
    selection_fini(&s);
}
