/* http_refresh.h - "ask the providers now" over HTTP, answered when it is done. */
#ifndef PRICEGATE_HTTP_REFRESH_H
#define PRICEGATE_HTTP_REFRESH_H

struct conn;
struct server;

/* The connection is gone: it is no longer answered. Harmless where it does not wait. */
void http_refresh_forget(struct conn *c);
/* The server goes: nobody is answered any more, a job under way ends by itself. */
void http_refresh_abandon(struct server *s);

#endif
