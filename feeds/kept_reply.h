/* kept_reply.h - the last reply of a provider that can say "nothing new" (HTTP 304). Pure.
 *
 * A table of rates changes once a working day and is asked for every half hour. Where its reply
 * had an entity tag, the next request names it, and a 304 in answer stands for the reply kept here:
 * the parser sees the same bytes again. One reply per provider, in memory only.
 *
 * Only a reply that something was understood in may be kept. A web page or an error under 200 with
 * a tag would otherwise be confirmed for ever; and one whose rates have become too old must be
 * forgotten, so that the next request brings a whole reply. */
#ifndef PRICEGATE_KEPT_REPLY_H
#define PRICEGATE_KEPT_REPLY_H

#include "provider.h"

#define KEPT_ETAG_MAX 128 /* bytes; a longer tag is not kept */

/* Zeroed at first. */
struct kept_reply {
    char etag[KEPT_ETAG_MAX + 1]; /* "" = nothing is kept */
    struct buf url, body;
};

void kept_reply_fini(struct kept_reply *k); /* forgets it; to be used again as if zeroed */

/* Adds the condition to a request for the same URL. */
void kept_reply_ask(const struct kept_reply *k, struct http_request *rq);
/* Keeps a 200 that has a tag and that something was understood in; any other 200 makes it forget.
 * url: what was asked. */
void kept_reply_keep(struct kept_reply *k, const char *url, const struct http_reply *reply);
/* True when the reply is a 304 for what is kept: then *out is the reply it stands for, borrowed
 * from *k. */
bool kept_reply_restore(const struct kept_reply *k, const char *url, const struct http_reply *reply,
                        struct http_reply *out);

#endif
