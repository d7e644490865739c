#include "response.h"

#include <openssl/sha.h>
#include <stdarg.h>
#include <string.h>

#include "request.h"

void response_fini(struct response *r)
{
    buf_fini(&r->headers);
    buf_fini(&r->body);
    *r = (struct response){0};
}

void response_header(struct response *r, const char *name, const char *fmt, ...)
{
    char value[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    /* A value that is cut or would end its line says something else than was meant: leave it out.
     */
    if (n < 0 || (size_t)n >= sizeof value || strpbrk(value, "\r\n"))
        return;
    buf_addf(&r->headers, "%s: %s\r\n", name, value);
}

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"                             },
    {204, "No Content"                     },
    {304, "Not Modified"                   },
    {308, "Permanent Redirect"             },
    {400, "Bad Request"                    },
    {401, "Unauthorized"                   },
    {403, "Forbidden"                      },
    {404, "Not Found"                      },
    {405, "Method Not Allowed"             },
    {413, "Content Too Large"              },
    {422, "Unprocessable Content"          },
    {426, "Upgrade Required"               },
    {429, "Too Many Requests"              },
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"          },
    {503, "Service Unavailable"            },
    {505, "HTTP Version Not Supported"     },
};

const char *response_reason(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

void response_problem(struct response *r, int status, const char *detail, const char *extra)
{
    r->status = status;
    r->type = "application/problem+json";
    r->borrowed = NULL;
    buf_clear(&r->body);
    buf_addf(&r->body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":",
             response_reason(status), status);
    buf_adds_json(&r->body, detail);
    buf_adds(&r->body, extra ? extra : "");
    buf_addc(&r->body, '}');
}

static const char *body_of(const struct response *r, size_t *len)
{
    *len = r->borrowed ? r->borrowed_len : r->body.len;
    return r->borrowed ? r->borrowed : r->body.p;
}

void response_etag(struct response *r, const char *if_none_match)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char etag[20];
    size_t len;
    const char *body = body_of(r, &len);
    if (!SHA256((const unsigned char *)(body ? body : ""), len, digest))
        return;
    snprintf(etag, sizeof etag, "\"%02x%02x%02x%02x%02x%02x%02x%02x\"", digest[0], digest[1],
             digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]);
    response_header(r, "ETag", "%s", etag);
    if (request_etag_matches(if_none_match, etag)) {
        r->status = 304;
        r->type = NULL;
        r->borrowed = NULL;
        buf_clear(&r->body);
    }
}

/* The page is its own files and one connection to where they came from: connect-src 'self' covers
 * ws: and wss: of the own host. No other page may frame it, and only those of `origins` may
 * load an answer. */
const struct response_constant response_constants[RESPONSE_CONSTANTS] = {
    {"Content-Security-Policy:",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'", false},
    {"Cross-Origin-Resource-Policy:", "same-origin",                false},
    {"Referrer-Policy:",              "no-referrer",                false},
    {"X-Content-Type-Options:",       "nosniff",                    false},
    {"X-Frame-Options:",              "DENY",                       false},
    {"Strict-Transport-Security:",    "max-age=31536000",           true },
};

void response_render(const struct response *r, const struct response_frame *frame, struct buf *out)
{
    size_t len;
    const char *body = body_of(r, &len);
    buf_addf(out, "HTTP/1.1 %d %s\r\n", r->status, response_reason(r->status));
    if (r->type)
        buf_addf(out, "Content-Type: %s\r\n", r->type);
    if (!r->endless && r->status != 204 && r->status != 304)
        buf_addf(out, "Content-Length: %zu\r\n", len);
    buf_adds(out, frame->close ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
    for (size_t i = 0; i < RESPONSE_CONSTANTS; i++)
        if (frame->tls || !response_constants[i].tls)
            buf_addf(out, "%s %s\r\n", response_constants[i].name, response_constants[i].value);
    buf_add(out, r->headers.p, r->headers.len);
    buf_adds(out, "\r\n");
    if (!frame->head && r->status != 204 && r->status != 304)
        buf_add(out, body, len);
}
