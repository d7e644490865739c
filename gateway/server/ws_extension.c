/* The library has an implementation of permessage-deflate, and it is not used. It swallows messages
 * that inflate to more than about three times its buffer (4.1.6: 800 bytes with ours of 256, no
 * event at all); keeps a zlib state of 44 KB for each client that ever sent a compressed message;
 * takes an offered server_no_context_takeover for a promise of the client's and drops the state
 * that it still needs; and cannot agree to a window of another size. All it has to do here is to
 * let the first reserved bit pass and to write the answer's header, and for that it needs an
 * extension that does nothing: what comes is handed over as it came, what goes out was made by
 * frame.c.
 *
 * The library's negotiation echoes each offered parameter that is in the extension's list and is
 * blind to the rest, so the list holds what we do without being asked:
 *   server_no_context_takeover    no frame refers to an earlier one, ever
 *   client_no_context_takeover    then there is no window to keep
 *   server_max_window_bits=n      ours is COMPRESSION_WINDOW_BITS, whatever more is allowed
 * client_max_window_bits says what the client could do, and needs no answer. An offer with a
 * smaller window for us, or with anything unknown, is declined. So are several offers in one header
 * (the client's first, and what it falls back to): the library cannot take the second of two. */
#include "ws_extension.h"

#include <string.h>

#include "server_private.h"

static const struct lws_ext_options parameters[] = {
    {"server_no_context_takeover", EXTARG_NONE},
    {"client_no_context_takeover", EXTARG_NONE},
 /* Not numbers to the library, but names: it echoes names only. */
    {"server_max_window_bits=12",  EXTARG_NONE},
    {"server_max_window_bits=13",  EXTARG_NONE},
    {"server_max_window_bits=14",  EXTARG_NONE},
    {"server_max_window_bits=15",  EXTARG_NONE},
    {NULL,                         EXTARG_NONE},
};
enum { CLIENT_NO_CONTEXT_TAKEOVER = 1 }; /* its place in the list */
_Static_assert(COMPRESSION_WINDOW_BITS == 12, "the list must begin with this size");

static const char NAME[] = "permessage-deflate";

/* --- the offer --- */

/* The next piece of *rest up to `end`, without the blanks around it; *rest goes on behind it, NULL
 * when that was the last. */
struct piece {
    const char *p;
    size_t len;
};

static struct piece next_piece(const char **rest, char end)
{
    struct piece piece = {*rest + strspn(*rest, " "), 0};
    const char *stop = strchr(*rest, end);
    *rest = stop ? stop + 1 : NULL;
    piece.len = stop && stop > piece.p ? (size_t)(stop - piece.p) : stop ? 0 : strlen(piece.p);
    while (piece.len > 0 && piece.p[piece.len - 1] == ' ')
        piece.len--;
    return piece;
}

static bool piece_is(struct piece piece, const char *text)
{
    return strlen(text) == piece.len && memcmp(piece.p, text, piece.len) == 0;
}

static bool is_client_window(struct piece p)
{
    static const char *const known[] = {
        "client_max_window_bits",    "client_max_window_bits=8",  "client_max_window_bits=9",
        "client_max_window_bits=10", "client_max_window_bits=11", "client_max_window_bits=12",
        "client_max_window_bits=13", "client_max_window_bits=14", "client_max_window_bits=15",
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (piece_is(p, known[i]))
            return true;
    return false;
}

/* Which parameter is it, values aside? A bit of its own for each; 0: unknown. */
static unsigned parameter_bit(struct piece p)
{
    for (size_t i = 0; parameters[i].name; i++)
        if (piece_is(p, parameters[i].name))
            return 1U << (i < 2 ? i : 2);
    return is_client_window(p) ? 1U << 3 : 0;
}

/* The parameters of one offer: all known, none twice. */
static bool parameters_ok(const char *rest)
{
    unsigned seen = 0;
    while (rest) {
        unsigned bit = parameter_bit(next_piece(&rest, ';'));
        if (bit == 0 || (seen & bit))
            return false;
        seen |= bit;
    }
    return true;
}

bool ws_extension_acceptable(const char *offers)
{
    char offer[256];
    unsigned ours = 0;
    bool ok = false;
    while (offers) {
        struct piece piece = next_piece(&offers, ',');
        if (piece.len >= sizeof offer)
            return false;
        memcpy(offer, piece.p, piece.len);
        offer[piece.len] = '\0';
        const char *rest = offer;
        if (piece_is(next_piece(&rest, ';'), NAME)) {
            ours++;
            ok = parameters_ok(rest);
        }
    }
    return ours == 1 && ok;
}

/* --- the library's side --- */

int ws_extension_confirm(struct conn *c, struct lws *wsi)
{
    char offers[256]; /* the library reads no more of it either */
    if (!c->server->config->fanout.compression ||
        lws_hdr_copy(wsi, offers, sizeof offers, WSI_TOKEN_EXTENSIONS) < 0)
        return -1;
    return ws_extension_acceptable(offers) ? 0 : -1;
}

static int construct(struct conn *c, const struct lws_ext_options **list)
{
    c->extension = calloc(1, sizeof *c->extension);
    if (!c->extension)
        return -1; /* then there is no compression */
    c->extension->remembers = true;
    *list = parameters;
    return 0;
}

/* NOLINTNEXTLINE(readability-function-size): the library's type */
static int on_event(struct lws_context *context, const struct lws_extension *ext, struct lws *wsi,
                    enum lws_extension_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context, (void)ext, (void)user, (void)len;
    struct conn *c = lws_get_opaque_user_data(wsi);
    const struct lws_ext_option_arg *parameter = in;
    if (!c)
        return 0;
    if (reason == LWS_EXT_CB_CONSTRUCT)
        return construct(c, in);
    if (reason == LWS_EXT_CB_OPTION_SET && parameter->option_index == CLIENT_NO_CONTEXT_TAKEOVER)
        c->extension->remembers = false;
    return 0; /* "did nothing": the payload goes on as it is */
}

const struct lws_extension ws_extensions[] = {
    {NAME, on_event, NAME},
    {NULL, NULL,     NULL},
};

/* --- messages --- */

/* What is parsed costs by its length in the clear, so that length is bounded by what was sent, too:
 * a hundred bytes must not buy the parsing of 64 KB. Commands shrink to a tenth at best. */
static const size_t RATIO_FREE_BYTES = 4096;
static const size_t RATIO_MAX = 32;

void ws_extension_free(struct ws_extension *x)
{
    if (x)
        decompress_window_fini(&x->window);
    free(x);
}

enum decompress_verdict ws_extension_inflate(struct conn *c, const struct buf *message,
                                             struct buf *out)
{
    struct ws_extension *x = c->extension;
    size_t most = (size_t)c->server->config->limits.message_bytes;
    size_t honest = RATIO_FREE_BYTES + RATIO_MAX * message->len;
    return decompressor_message(c->server->decompressor, x->remembers ? &x->window : NULL,
                                message->p, message->len, honest < most ? honest : most, out);
}
