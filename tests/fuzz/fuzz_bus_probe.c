/* What a Redis says of itself (INFO, CONFIG GET), read into fixed room. */
#include "bus_probe.h"
#include "fuzz.h"

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bus_probe p = {.maxclients = -1, .pubsub_hard_bytes = -1};
    char *text = fuzz_text(data, size);
    bus_probe_read_info(&p, text);
    CHECK(memchr(p.version, '\0', sizeof p.version) && !strpbrk(p.version, "\r\n"));
    CHECK(memchr(p.role, '\0', sizeof p.role) && !strpbrk(p.role, "\r\n"));
    CHECK(memchr(p.policy, '\0', sizeof p.policy) && !strpbrk(p.policy, "\r\n"));
    CHECK(p.version[0] == '\0' || strstr(text, "redis_version:"));
    bus_probe_read_buffers(&p, text);
    CHECK(p.pubsub_hard_bytes == -1 || strstr(text, "pubsub "));
    free(text);
    return 0;
}
