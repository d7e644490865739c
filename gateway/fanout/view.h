/* view.h - a view is a distinct subscription; clients that want the same thing share it.
 *
 *   symbol id ──► holders ──► view ──► seats ──► client
 *               (a bit for each view) (who shares it)
 *
 * A quote marks one bit in each view that holds its symbol, never anything in a client. A view
 * exists while somebody sits in it or holds a reference. Its key is the whole of what is wanted:
 * the set of symbols, which of them with which options, and in which encoding. So a client has one
 * seat, whatever it has subscribed to in how many steps, and a flush is one run of bytes for it.
 *
 * Each view has its own rhythm: marked while it is quiet it is due at once; flushed, it rests for a
 * flush interval and gathers what comes meanwhile. Knows nothing of clients but their seats. Loop
 * thread only. */
#ifndef PRICEGATE_VIEW_H
#define PRICEGATE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bits.h"
#include "view_options.h"

struct client;
struct view;

/* How a client's bytes look; part of a view's key, since a view's run of bytes is built once. */
enum encoding {
    ENCODING_FRAMES,            /* WebSocket frames */
    ENCODING_COMPRESSED_FRAMES, /* the same, with permessage-deflate */
    ENCODING_EVENTS,            /* Server-Sent Events */
};

/* A client's place in a view; lies inside the client. */
struct seat {
    struct seat *next, **prev; /* in the view's ready or behind list */
    struct view *view;         /* NULL: sits nowhere */
    struct client *client;
};

struct view {
    struct bits symbols;          /* the key, with options and encoding */
    struct view_options *options; /* owned; NULL = none */
    uint64_t hash;
    struct view *hash_next;
    unsigned number; /* its place in views.all, its bit in views.holders; changes */
    unsigned refs;   /* seats and whoever holds it for a moment */

    struct seat *ready;  /* get the shared bytes */
    struct seat *behind; /* keep their own account of what is owed */
    size_t seats;

    struct bits quotes;   /* has a newer item than was flushed */
    struct bits statuses; /* has a state to be told */
    int64_t oldest_ns;    /* arrival of the oldest item in `quotes`; INT64_MAX = none */
    uint64_t merged;      /* updates that another one replaced before the flush */
    int64_t rests_until_ns;
    struct view *queue_next, **queue_prev; /* in views.resting, else in views.due when dirty */
    enum encoding encoding;
    bool dirty;       /* there is something to flush */
    bool resting;     /* was flushed less than a flush interval ago */
    uint64_t words[]; /* of the three sets: most clients have a view of their own, so it is small */
};

struct view_queue {
    struct view *first, **last; /* last: where the next one is hung in */
};

struct views {
    size_t symbols_len;
    uint64_t seed; /* of the hash, so that nobody can aim at collisions */
    struct view **table;
    size_t table_len;          /* power of two */
    struct view **all;         /* without gaps */
    size_t used, all_cap;      /* of `all` */
    struct bits *holders;      /* per symbol: the numbers of the views that hold it */
    size_t *watchers;          /* per symbol: the seats in these views */
    struct view_queue due;     /* dirty ones that may be flushed now */
    struct view_queue resting; /* dirty or not, in the order in which their rests end */
    size_t resting_dirty;
};

/* vs must stay where it is. */
int views_init(struct views *vs, size_t symbols_len, uint64_t seed) MUST_CHECK;
void views_fini(struct views *vs); /* every view must be gone */

/* The view of exactly these symbols and options (copied; NULL = none, never an empty one) in this
 * encoding, found or made, with a reference that the caller must give back. NULL: out of memory. */
struct view *views_get(struct views *vs, const struct bits *symbols,
                       const struct view_options *options, enum encoding encoding) MUST_CHECK;
void view_ref(struct view *v);
void view_unref(struct views *vs, struct view *v); /* frees with the last reference */

/* seat must sit nowhere. */
void view_sit(struct views *vs, struct view *v, struct seat *seat, bool behind);
void view_leave(struct views *vs, struct seat *seat); /* harmless when it sits nowhere */
void view_move(struct seat *seat, bool behind);       /* between the two lists */

/* An item arrived. Who sees its state hears a status only where that is owed; who does not (or not
 * yet: its symbol is paced) hears one when the state has moved. */
struct view_news {
    int64_t arrival_ns;
    bool owed;  /* a status must follow the item */
    bool moved; /* the state is another one than before the item */
};
void views_mark_quote(struct views *vs, int id, const struct view_news *news);
void views_mark_status(struct views *vs, int id);

/* Takes what is pending out of the view, which is clean and in no list afterwards. */
struct view_pending {
    int64_t oldest_ns; /* INT64_MAX: no items */
    uint64_t merged;
};
struct view_pending view_take_pending(struct views *vs, struct view *v, struct bits *quotes,
                                      struct bits *statuses);

/* --- when to flush --- */
/* v has just been flushed: until then it only gathers. One that rests already goes on as it did.
 * No view may be put to rest for a shorter time than an earlier one. */
void view_rest(struct views *vs, struct view *v, int64_t until_ns);
/* Ends the rests that are over: what is dirty then is due. */
void views_wake(struct views *vs, int64_t mono_ns);
/* ns until views_wake() may find something; -1: nothing is pending in a resting view. */
int64_t views_wait_ns(const struct views *vs, int64_t mono_ns);

#endif
