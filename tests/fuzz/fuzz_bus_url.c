/* redis.url: taken apart, or a sentence without its secrets. */
#include "bus_url.h"
#include "fuzz.h"

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bus_url u;
    struct err err = {""};
    char *text = fuzz_text(data, size);
    if (bus_url_parse(text, &u, &err) == 0) {
        CHECK(memchr(u.host, '\0', sizeof u.host) && memchr(u.path, '\0', sizeof u.path));
        CHECK(memchr(u.user, '\0', sizeof u.user) && memchr(u.password, '\0', sizeof u.password));
        CHECK(memchr(u.address, '\0', sizeof u.address) && u.address[0]);
        CHECK(u.is_unix ? u.path[0] == '/' : u.host[0] && u.port > 0 && u.port <= 65535);
        CHECK(u.db >= 0);
        if (strlen(u.password) > 8 && !strstr(u.is_unix ? u.path : u.host, u.password))
            CHECK(!strstr(u.address, u.password));
    } else {
        CHECK(strncmp(err.text, "redis.url: ", 11) == 0);
        CHECK(fuzz_is_sentence(&err));
    }
    free(text);
    return 0;
}
