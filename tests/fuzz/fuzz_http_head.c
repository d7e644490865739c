/* Header lines of a reply, a line each as they come. */
#include "fuzz.h"
#include "http_head.h"

static const int64_t NOW_S = 1767268800;

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
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
    CHECK(memchr(h.location, '\0', sizeof h.location));
    return 0;
}
