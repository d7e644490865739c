/* handlers.h - what the route table points to, one function per row, split by noun:
 * quotes.c, health.c, http_refresh.c, files.c. Each reads x->request and fills x->response. */
#ifndef PRICEGATE_HANDLERS_H
#define PRICEGATE_HANDLERS_H

#include "routes.h"

/* files.c */
route_handler serve_index, serve_file, serve_openapi, serve_asyncapi, serve_docs, serve_docs_moved;
/* health.c */
route_handler serve_healthz, serve_readyz, serve_metrics, serve_status, serve_sources, serve_jobs;
route_handler serve_reset_circuit;
/* quotes.c */
route_handler serve_instruments, serve_quotes, serve_quote, serve_observations, serve_observation;
route_handler serve_provenance;
/* admin.c */
route_handler serve_clients, serve_close_client, serve_reload;
/* whoami.c */
route_handler serve_whoami;
/* sse.c */
route_handler serve_stream;
/* http_refresh.c */
route_handler serve_refresh_all, serve_refresh_market, serve_refresh_intelligence;
/* ws_handshake.c */
route_handler serve_ws_without_upgrade;

/* quotes.c: false, with a 404 naming every symbol of the list that is not configured, or is of
 * another kind than `which` asks for; patterns: those are fine. */
#define SYMBOLS_OF(kind) (1U << (kind))
#define SYMBOLS_OF_ANY   (SYMBOLS_OF(INSTRUMENT_QUOTE) | SYMBOLS_OF(INSTRUMENT_OBSERVATION))
bool symbols_known(struct exchange *x, unsigned which, const char *list, bool patterns);
/* quotes.c: true, with a 403, when the caller's token does not allow one of the list. */
bool symbols_forbidden(struct exchange *x, const char *list);

#endif
