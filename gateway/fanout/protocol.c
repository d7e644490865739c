#include "protocol.h"

#include <inttypes.h>
#include <string.h>

#include "fields.h"
#include "jsonx.h"
#include "since.h"

static const struct {
    int code;
    const char *name;
} errors[] = {
#define X(id, code, name) [id] = {code, name},
    PROTOCOL_ERRORS(X)
#undef X
};

static const char *const actions[] = {
#define X(id, name) [id] = (name),
    PROTOCOL_ACTIONS(X)
#undef X
};

static const char *const types[] = {
#define X(id, name) [id] = (name),
    PROTOCOL_TYPES(X)
#undef X
};

const char *protocol_type_name(enum protocol_type t)
{
    return types[t];
}

const char *protocol_error_name(enum protocol_error e)
{
    return errors[e].name;
}

/* --- reading --- */

static int read_id(struct command *c, struct err *err)
{
    const json_t *id = json_object_get(c->root, "id");
    if (!id)
        return 0;
    if (json_is_integer(id)) {
        snprintf(c->id, sizeof c->id, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
        return 0;
    }
    if (!json_is_string(id) || json_string_length(id) > PROTOCOL_ID_BYTES_MAX)
        return err_set(err, "id must be an integer or a string of at most %d bytes",
                       PROTOCOL_ID_BYTES_MAX);
    struct buf text = {0};
    buf_add_json(&text, json_string_value(id), json_string_length(id));
    if (text.failed) {
        buf_fini(&text);
        return err_set(err, "out of memory");
    }
    REQUIRE(text.len < sizeof c->id);
    memcpy(c->id, text.p, text.len + 1);
    buf_fini(&text);
    return 0;
}

static int read_action(struct command *c, struct err *err)
{
    const char *name = jsonx_string(c->root, "action");
    if (!name)
        return err_set(err, "action is missing or not a string");
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (strcmp(name, actions[i]) == 0) {
            c->action = (enum protocol_action)i;
            return 0;
        }
    bool plain =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ") ==
        strlen(name);
    return err_set(err,
                   "unknown action%s%.40s%s: use auth, heartbeat, list, ping, refresh, reset, "
                   "subscribe or unsubscribe",
                   plain ? " \"" : "", plain ? name : "", plain ? "\"" : "");
}

static int read_options(struct command *c, struct err *err)
{
    const json_t *snapshot = json_object_get(c->root, "snapshot");
    const json_t *interval = json_object_get(c->root, "interval_ms");
    c->fields = json_object_get(c->root, "fields");
    c->since = json_object_get(c->root, "since");
    c->snapshot = !snapshot || json_is_true(snapshot);
    c->interval_ms = json_integer_value(interval);
    if (snapshot && !json_is_boolean(snapshot))
        return err_set(err, "snapshot must be true or false");
    if (interval && (!json_is_integer(interval) || c->interval_ms < 0 ||
                     c->interval_ms > PROTOCOL_INTERVAL_MAX_MS))
        return err_set(err, "interval_ms must be an integer, 0..%d", PROTOCOL_INTERVAL_MAX_MS);
    if (c->fields && !fields_valid(c->fields))
        return err_set(err, "fields must be an array of at most %d strings of at most %d bytes",
                       FIELDS_NAMES_MAX, FIELDS_NAME_MAX);
    if (c->since && !since_valid(c->since))
        return err_set(err, "since must be an object, symbol to seq, both strings");
    return 0;
}

int protocol_parse(struct command *c, const char *bytes, size_t len, size_t max_bytes,
                   struct err *err)
{
    *c = (struct command){.snapshot = true};
    c->root = jsonx_parse(bytes, len, max_bytes, err);
    if (!c->root) {
        jsonx_drop_quotation(err); /* it may be a token, and answers end up in logs */
        return -1;
    }
    if (!json_is_object(c->root))
        return err_set(err, "a message is a JSON object with an action");
    if (read_id(c, err) != 0 || read_action(c, err) != 0)
        return -1;
    return c->action == ACTION_SUBSCRIBE ? read_options(c, err) : 0;
}

void command_fini(struct command *c)
{
    json_decref(c->root);
    c->root = NULL;
}

/* --- writing --- */

void protocol_begin(struct buf *out, enum protocol_type type, const char *id)
{
    buf_addf(out, "{\"type\":\"%s\"", types[type]);
    if (id[0]) {
        buf_adds(out, ",\"id\":");
        buf_adds(out, id);
    }
}

void protocol_add_string(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, ",\"%s\":", name);
    buf_adds_json(out, value);
}

void protocol_add_integer(struct buf *out, const char *name, int64_t value)
{
    buf_addf(out, ",\"%s\":%" PRId64, name, value);
}

void protocol_add_symbols(struct buf *out, const char *name, const struct config *config,
                          const struct bits *ids)
{
    const char *comma = "";
    buf_addf(out, ",\"%s\":[", name);
    for (int id = bits_next(ids, 0); id >= 0; id = bits_next(ids, id + 1)) {
        buf_adds(out, comma);
        buf_adds_json(out, config->instruments[id].symbol);
        comma = ",";
    }
    buf_addc(out, ']');
}

void protocol_add_array(struct buf *out, const char *name, const struct buf *elements)
{
    buf_addf(out, ",\"%s\":[", name);
    buf_add(out, elements->p, elements->len);
    buf_addc(out, ']');
}

void protocol_end(struct buf *out)
{
    buf_addc(out, '}');
}

void protocol_add_rejected(struct buf *elements, const char *symbol, const char *error,
                           const char *message)
{
    buf_adds(elements, elements->len > 0 ? ",{\"symbol\":" : "{\"symbol\":");
    buf_adds_json(elements, symbol);
    protocol_add_string(elements, "error", error);
    protocol_add_string(elements, "message", message);
    buf_addc(elements, '}');
}

void protocol_add_welcome(struct buf *out, const struct config *config, const char *session,
                          int64_t wall_ms)
{
    protocol_begin(out, TYPE_WELCOME, "");
    protocol_add_integer(out, "version", PROTOCOL_VERSION);
    protocol_add_string(out, "session", session);
    protocol_add_integer(out, "ts", wall_ms);
    protocol_add_integer(out, "heartbeat_ms", config->fanout.heartbeat_ms);
    buf_addf(out,
             ",\"limits\":{\"symbols\":%" PRId64 ",\"message_bytes\":%" PRId64
             ",\"commands_per_minute\":%" PRId64 "}",
             config->limits.symbols_per_connection, config->limits.message_bytes,
             config->limits.commands_per_minute);
    protocol_end(out);
}

void protocol_add_error(struct buf *out, const char *id, enum protocol_error error,
                        const char *message)
{
    protocol_begin(out, TYPE_ERROR, id);
    protocol_add_integer(out, "code", errors[error].code);
    protocol_add_string(out, "error", errors[error].name);
    protocol_add_string(out, "message", message);
    protocol_end(out);
}

void protocol_add_time(struct buf *out, enum protocol_type type, const char *id, int64_t wall_ms)
{
    protocol_begin(out, type, id);
    protocol_add_integer(out, "ts", wall_ms);
    protocol_end(out);
}
