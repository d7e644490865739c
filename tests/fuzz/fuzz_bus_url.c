/* redis.url: taken apart, or a sentence without its secrets. */
#include "bus_url.h"
#include "fuzz.h"

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

/* For people: where it is, and nothing of the secrets. (Looking for the password in it would find
 * one that the host's name ends with.) */
static void check_address(const struct bus_url *u)
{
    char where[sizeof u->address];
    bool v6 = strchr(u->host, ':');
    if (u->is_unix)
        snprintf(where, sizeof where, "%s", u->path);
    else
        snprintf(where, sizeof where, v6 ? "[%s]:%d" : "%s:%d", u->host, u->port);
    CHECK(strcmp(u->address, where) == 0);
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
        check_address(&u);
    } else {
        CHECK(strncmp(err.text, "redis.url: ", 11) == 0);
        CHECK(fuzz_is_sentence(&err));
    }
    free(text);
    return 0;
}
