/* Messages of clients: a command, or a sentence that can be sent back along with the id. */
#include "fuzz.h"
#include "protocol.h"

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct command c;
    struct err err = {""};
    struct buf reply = {0};
    char *bytes = fuzz_bytes(data, size);
    int rc = protocol_parse(&c, bytes, size, 65536, &err);
    CHECK(memchr(c.id, '\0', sizeof c.id));
    if (rc == 0) {
        CHECK(c.action < PROTOCOL_ACTIONS_LEN);
        CHECK(c.interval_ms >= 0 && c.interval_ms <= PROTOCOL_INTERVAL_MAX_MS);
        CHECK(!c.fields || json_is_array(c.fields));
        CHECK(!c.since || json_is_object(c.since));
    } else {
        CHECK(rc == -1 && fuzz_is_sentence(&err));
    }
    protocol_add_error(&reply, c.id, ERROR_BAD_MESSAGE, err.text);
    CHECK(fuzz_is_json(reply.p, reply.len));
    buf_fini(&reply);
    command_fini(&c);
    free(bytes);
    return 0;
}
