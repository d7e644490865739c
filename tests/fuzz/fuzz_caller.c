/* What a request says of who sent it and how, a line each: Host, Origin, an origin that is listed,
 * X-Forwarded-For, a trusted proxy, Sec-WebSocket-Extensions, Content-Length, If-None-Match,
 * Sec-WebSocket-Key, the path. Nothing foreign is let in, and what is read reads the same again. */
#include <ctype.h>
#include <strings.h>

#include "fuzz.h"
#include "origin.h"
#include "proxy.h"
#include "request.h"
#include "routes.h"
#include "utf8.h"
#include "ws_extension.h"
#include "ws_handshake.h"

#include <jansson.h>

enum line { HOST, ORIGIN, LISTED, FORWARDED, TRUSTED, OFFERS, LENGTH, TAGS, KEY, PATH, LINES };

size_t fuzz_json_start(const uint8_t *data, size_t size)
{
    (void)data;
    return size; /* there is none */
}

static void check_authority(const char *text)
{
    struct authority a, again;
    char written[300];
    if (authority_parse(text, strlen(text), &a) != 0)
        return;
    CHECK(a.host[0] && fuzz_is_printable(a.host, sizeof a.host));
    CHECK(a.port >= 0 && a.port <= 65535);
    bool v6 = text[0] == '[';
    int n = snprintf(written, sizeof written, v6 ? "[%s]" : "%s", a.host);
    if (a.port)
        snprintf(written + n, sizeof written - (size_t)n, ":%d", a.port);
    CHECK(authority_parse(written, strlen(written), &again) == 0);
    CHECK(strcmp(again.host, a.host) == 0 && again.port == a.port);
}

/* An origin that is let in is nothing but scheme, host and port, and one of the two that it may be.
 */
static void check_origin(const char *origin, const char *host, const char *listed)
{
    for (int tls = 0; tls < 2; tls++) {
        const struct origin_rule alone = {host, tls, NULL, 0}, rule = {host, tls, &listed, 1};
        bool own = origin_allowed(origin, &alone), known = origin_listed(origin, &rule);
        CHECK(!origin_listed(origin, &alone));
        CHECK(origin_allowed(origin, &rule) == (own || known));
        if (!own && !known)
            continue;
        CHECK(strncasecmp(origin, "http", 4) == 0 && strstr(origin, "://"));
        CHECK(!strpbrk(strstr(origin, "://") + 3, "/@, #?\\"));
        const char *from = own ? host : strstr(listed, "://") + 3;
        struct authority a, b;
        CHECK(authority_parse(from, strlen(from), &a) == 0);
        const char *said = strstr(origin, "://") + 3;
        CHECK(authority_parse(said, strlen(said), &b) == 0 && strcmp(a.host, b.host) == 0);
        CHECK(known || !tls || strncasecmp(origin, "https:", 6) == 0);
    }
}

static void check_address(const struct address *a)
{
    char text[ADDRESS_TEXT_MAX];
    struct address again;
    address_format(a, text);
    CHECK(address_parse(text, strlen(text), &again) == 0 && address_equal(a, &again));
}

static void check_proxy(const char *forwarded, const char *trusted)
{
    struct address peer, other;
    struct cidr range;
    struct proxies p, none = {0};
    CHECK(address_parse("192.0.2.1", 9, &peer) == 0 && address_parse("::1", 3, &other) == 0);
    CHECK(proxies_init(&p, &trusted, 1) == 0);
    CHECK((cidr_parse(trusted, &range) == 0) == (p.len == 1));
    struct address client = proxies_client(&p, &peer, forwarded);
    check_address(&client);
    if (p.len == 1) {
        check_address(&range.address);
        static const struct address nobody = {{0}}; /* "::", which "::/8" begins with */
        CHECK(range.bits >= 0 && range.bits <= 128);
        CHECK(cidr_contains(&range, &range.address) || address_equal(&range.address, &nobody));
    }
    if (p.len == 0 || !cidr_contains(&range, &peer))
        CHECK(address_equal(&client, &peer));
    client = proxies_client(&none, &other, forwarded);
    CHECK(address_equal(&client, &other)); /* nobody is trusted: nothing is believed */
    proxies_fini(&p);
}

static void check_length(const char *text)
{
    static const enum method methods[] = {METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_OTHER};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct request r = {.method = methods[i], .content_length = text};
        size_t len;
        enum body body = request_body(&r, 65536, &len);
        if (body == BODY_EXACT || body == BODY_EMPTY)
            CHECK(len == strtoull(text, NULL, 10) && len <= 65536 &&
                  (len > 0) == (body == BODY_EXACT));
        CHECK(body != BODY_NONE && body != BODY_UNSAID);
        r.transfer_encoding = text;
        CHECK(request_body(&r, 65536, &len) == BODY_BAD);
    }
}

static void check_lists(const char *list)
{
    const char *rest = list, *item;
    size_t len, all = 0, items = 0;
    while (request_next(&rest, &item, &len)) {
        CHECK(item >= list && item + len <= list + strlen(list) && !memchr(item, ',', len));
        all += len;
        items++;
    }
    CHECK(items > 0 && all + items - 1 == strlen(list));
    struct buf more = {0};
    buf_addf(&more, "%s, \"tag\"", list);
    CHECK(request_etag_matches(more.p, "\"tag\"") && request_list_has(more.p, "\"TAG\""));
    buf_fini(&more);
}

static void check_handshake(const char *offers, const char *key)
{
    CHECK(!ws_key_ok(key) || (strlen(key) == 24 && fuzz_is_printable(key, 25)));
    if (!ws_extension_acceptable(offers))
        return;
    CHECK(strstr(offers, "permessage-deflate"));
    struct buf more = {0};
    buf_addf(&more, "x-other; a=1, %s", offers);
    CHECK(ws_extension_acceptable(more.p));
    buf_addf(&more, ", permessage-deflate");
    CHECK(!ws_extension_acceptable(more.p));
    buf_fini(&more);
}

static bool there_is_one(void *ctx, const char *path)
{
    return ctx && strcmp(path, "index.html") == 0;
}

/* What a path allows does not depend on the method, and the parameter is its end. */
static void check_path(const char *path)
{
    static const enum method methods[] = {METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OPTIONS,
                                          METHOD_OTHER};
    for (int plain = 0; plain < 2; plain++) {
        unsigned allow = route_find(METHOD_GET, path, plain, there_is_one, &plain).allow;
        char text[ROUTE_ALLOW_MAX];
        CHECK(fuzz_is_printable(route_allow(allow, text), sizeof text));
        for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
            struct route_match m = route_find(methods[i], path, plain, there_is_one, &plain);
            CHECK(m.allow == allow && (m.route != NULL) == ((allow & methods[i]) != 0));
            if (!m.route)
                continue;
            CHECK(m.param >= path && m.param <= path + strlen(path));
            CHECK(strncmp(path, m.route->path, strlen(m.route->path)) == 0);
        }
    }
}

static void check_utf8(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_bytes(data, size);
    json_t *v = json_stringn(bytes, size);
    CHECK(utf8_valid(bytes, size) == (v != NULL));
    json_decref(v);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line[LINES];
    size_t at = 0;
    for (int i = 0; i < LINES; i++) {
        const uint8_t *nl = at < size ? memchr(data + at, '\n', size - at) : NULL;
        size_t end = nl && i < LINES - 1 ? (size_t)(nl - data) : size;
        size_t len = at < size ? strnlen((const char *)data + at, end - at) : 0;
        line[i] = fuzz_text(data + (at < size ? at : 0), len);
        at = nl ? end + 1 : size;
    }
    check_authority(line[HOST]);
    check_origin(line[ORIGIN], line[HOST], line[LISTED]);
    check_proxy(line[FORWARDED], line[TRUSTED]);
    check_handshake(line[OFFERS], line[KEY]);
    check_length(line[LENGTH]);
    check_lists(line[TAGS]);
    check_path(line[PATH]);
    check_utf8(data, size);
    for (int i = 0; i < LINES; i++)
        free(line[i]);
    return 0;
}
