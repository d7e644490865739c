/* command_key.c - a new API key. The key goes to its holder, the line goes into the configuration,
 * which never sees more than the key's digest; nothing is stored here. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "buf.h"
#include "commands.h"
#include "grant.h"

enum { KEY_BYTES = 32 };

int command_limits(const struct options *o, enum role *role, json_t **symbols)
{
    struct err err;
    int r = o->role ? role_parse(o->role) : ROLE_VIEWER;
    *symbols = NULL;
    if (r < 0) {
        fprintf(stderr, "pricegate: --role: %s is none of viewer, analyst, admin\n", o->role);
        return -1;
    }
    *role = (enum role)r;
    if (!o->symbols)
        return 0;
    *symbols = json_array();
    for (const char *p = o->symbols;; p++) {
        size_t len = strcspn(p, ",");
        json_array_append_new(*symbols, json_stringn(p, len));
        p += len;
        if (*p == '\0')
            break;
    }
    struct grant g = {.symbols = grant_symbols_new(*symbols, &err)};
    if (g.symbols) {
        grant_fini(&g);
        return 0;
    }
    fprintf(stderr, "pricegate: --symbols: %s\n", err.text);
    json_decref(*symbols);
    *symbols = NULL;
    return -1;
}

static void add_hex(struct buf *out, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "%02x", bytes[i]);
}

static void print_key(const char *name, enum role role, const json_t *symbols,
                      const unsigned char random[static KEY_BYTES])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct buf key = {0}, line = {0};
    char *list = symbols ? json_dumps(symbols, JSON_COMPACT) : NULL;
    buf_adds(&key, "pg_");
    add_hex(&key, random, KEY_BYTES);
    if (!key.failed && SHA256((const unsigned char *)key.p, key.len, digest)) {
        buf_adds(&line, "{\"name\": ");
        buf_adds_json(&line, name);
        buf_addf(&line, ", \"role\": \"%s\", \"sha256\": \"", role_name(role));
        add_hex(&line, digest, sizeof digest);
        buf_adds(&line, "\"");
        if (list)
            buf_addf(&line, ", \"symbols\": %s", list);
        buf_adds(&line, "}");
    }
    if (!line.failed)
        printf("%s\n%s\n", key.p, line.p);
    free(list);
    buf_fini(&key);
    buf_fini(&line);
}

int command_key(const struct options *o)
{
    unsigned char random[KEY_BYTES];
    enum role role;
    json_t *symbols;
    const char *name = o->args[0];
    if (!*name || strlen(name) > GRANT_SUBJECT_MAX) {
        fprintf(stderr, "pricegate: the name must have 1 to %d bytes\n", GRANT_SUBJECT_MAX);
        return 2;
    }
    if (command_limits(o, &role, &symbols) != 0)
        return 2;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        fprintf(stderr, "pricegate: no random numbers: %s\n", strerror(errno));
        json_decref(symbols);
        return 1;
    }
    print_key(name, role, symbols, random);
    fflush(stdout);
    fprintf(stderr, "The first line is the key: it is shown only now. The second one goes into "
                    "auth.keys of the configuration.\n");
    json_decref(symbols);
    return 0;
}
