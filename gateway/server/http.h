/* http.h - plain requests: read, checked, handed to a handler, answered. Loop thread only. */
#ifndef PRICEGATE_HTTP_H
#define PRICEGATE_HTTP_H

#include <libwebsockets.h>

#include "conn.h"
#include "request.h"
#include "response.h"

/* Called by session.c, with the meaning of the library's events; what they return it returns. */
int http_request(struct conn *c, struct lws *wsi);
int http_body(struct conn *c, size_t len);
int http_body_complete(struct conn *c);
int http_writable(struct conn *c);
void http_gone(struct conn *c);

/* Is there a connection whose first request has not come yet, or whose answer has not left? */
bool http_any_under_way(const struct server *s);

/* To be called in every turn of the loop: see HTTP_CHOKED in http.c. */
void http_turn(struct server *s);

/* Reads the headers that we look at out of the library. -1: they do not fit or cannot be
 * understood; *status is the answer then. */
int http_read(struct conn *c, struct lws *wsi, struct request *r, int *status) MUST_CHECK;

/* Sets c->grant from the request's token. False: the token is bad and response a 401. */
bool http_identify(struct conn *c, struct request *r, struct response *response);

/* Logs, once in a while, that a page of this origin was kept away: its browser does not tell its
 * maker more than that it was. */
void http_note_foreign(struct server *s, const char *origin);

/* Serves a GET or HEAD that came with an upgrade that we do not make; the connection ends. */
int http_serve_once(struct conn *c, struct lws *wsi, struct request *r);

/* Writes the answer. -1: the connection is broken. */
int http_write(struct conn *c, struct lws *wsi, const struct request *r,
               const struct response *response, bool close) MUST_CHECK;

/* The answer of a handler that was pending. The connection ends after it. */
void http_finish(struct conn *c, struct response *response);

#endif
