/* Header lines of a reply, a line each as they come; and what is kept of the reply for the next
 * request (its entity tag) can be sent, and brings the same bytes back. */
#include "fuzz.h"
#include "http_head.h"
#include "kept_reply.h"

static const int64_t NOW_S = 1767268800;

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

static void check_kept(const struct http_head *h, const char *body, size_t len)
{
    static const char url[] = "https://example.com/rates";
    const struct http_reply reply = {.status = 200, .body = body, .len = len, .etag = h->etag};
    const struct http_reply unchanged = {.status = 304, .etag = h->etag};
    struct kept_reply kept = {0};
    struct http_request rq = {0};
    struct http_reply again;
    struct err err;
    buf_adds(&rq.url, url);
    kept_reply_keep(&kept, url, &reply);
    kept_reply_ask(&kept, &rq);
    CHECK(http_request_check(&rq, &err) == 0);
    CHECK((rq.headers.len > 0) == (kept.etag[0] != '\0'));
    CHECK(!kept_reply_restore(&kept, "https://example.com/other", &unchanged, &again));
    bool restored = kept_reply_restore(&kept, url, &unchanged, &again);
    CHECK(restored == (kept.etag[0] != '\0'));
    if (restored)
        CHECK(again.status == 200 && again.len == len && memcmp(again.body, body, len) == 0);
    http_request_fini(&rq);
    kept_reply_fini(&kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_head h;
    http_head_init(&h);
    for (size_t at = 0; at < size;) {
        const uint8_t *nl = memchr(data + at, '\n', size - at);
        size_t len = nl ? (size_t)(nl - data) + 1 - at : size - at;
        char *line = fuzz_bytes(data + at, len);
        http_head_line(&h, line, len, NOW_S);
        free(line);
        at += len;
    }
    CHECK(h.retry_after_s >= -1 && h.retry_after_s <= 86400);
    CHECK(h.credits_used >= -1 && h.credits_left >= -1);
    CHECK(memchr(h.location, '\0', sizeof h.location) && memchr(h.etag, '\0', sizeof h.etag));
    char *body = fuzz_text(data, size);
    check_kept(&h, body, size);
    free(body);
    return 0;
}
