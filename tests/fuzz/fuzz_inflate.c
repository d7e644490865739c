/* Compressed messages of clients, one after the other (each begins with its length), with a window
 * and without: text or a verdict, never more than was allowed. */
#include "compression.h"
#include "fuzz.h"

enum { MOST = 65536 };

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

static void try_messages(const uint8_t *data, size_t size, struct decompress_window *window)
{
    struct decompressor *d = decompressor_new();
    struct buf out = {0};
    REQUIRE(d);
    for (size_t at = 0; at < size;) {
        size_t len = data[at++];
        len = len < size - at ? len : size - at;
        char *message = fuzz_bytes(data + at, len);
        buf_clear(&out);
        enum decompress_verdict v = decompressor_message(d, window, message, len, MOST, &out);
        free(message);
        CHECK(v != DECOMPRESS_OK || out.len <= MOST);
        CHECK(!window || window->len <= 32768);
        if (v != DECOMPRESS_OK)
            break; /* the connection ends */
        at += len;
    }
    buf_fini(&out);
    decompressor_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decompress_window window = {0};
    try_messages(data, size, NULL);
    try_messages(data, size, &window);
    decompress_window_fini(&window);
    return 0;
}
