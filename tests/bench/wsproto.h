/* wsproto.h - as much of WebSocket (RFC 6455) as the instruments need: headers of frames, and the
 * answer to a key. No fragments, no extensions. */
#ifndef WSPROTO_H
#define WSPROTO_H

#include <stddef.h>
#include <stdint.h>

enum { WS_CONTINUATION = 0, WS_TEXT = 1, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

#define WS_HEADER_MAX 14
#define WS_ACCEPT_MAX 32

struct ws_frame {
    int opcode;
    int compressed;               /* the first reserved bit: permessage-deflate */
    const unsigned char *payload; /* as it came, so masked when a client sent it */
    size_t len;
    unsigned char mask[4]; /* zeros where the frame has none */
    size_t total;          /* header and payload */
};

/* Looks for one frame at the head of bytes: 1 found, 0 not all there yet. */
int ws_frame_read(struct ws_frame *f, const unsigned char *bytes, size_t len);

/* Writes the header of an unfragmented frame and returns its length. A client's header carries a
 * mask of zeros: legal, and it spares walking over the payload. */
size_t ws_header_server(unsigned char out[WS_HEADER_MAX], int opcode, size_t len);
size_t ws_header_client(unsigned char out[WS_HEADER_MAX], int opcode, size_t len);

/* The value of Sec-WebSocket-Accept for a request's Sec-WebSocket-Key. */
void ws_accept_value(char out[WS_ACCEPT_MAX], const char *key, size_t key_len);

#endif
