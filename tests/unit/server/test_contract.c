/* The machine-readable contract against the program's own tables: every route with its method and
 * role, every message, action, code and name, none more and none less. What the program really
 * answers is held against the same documents by tests/e2e/contract.test.js. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "close_reason.h"
#include "embedded.h"
#include "failure.h"
#include "job.h"
#include "observation.h"
#include "protocol.h"
#include "quote.h"
#include "role.h"
#include "routes.h"

struct documents {
    json_t *openapi, *asyncapi;
};

static json_t *load(const char *path)
{
    for (const struct embedded_file *f = embedded_files; f->path; f++)
        if (strcmp(f->path, path) == 0)
            return json_loadb(f->begin, (size_t)(f->end - f->begin), JSON_REJECT_DUPLICATES, NULL);
    return NULL;
}

static int setup(void **state)
{
    static struct documents d;
    d = (struct documents){load("web/openapi.json"), load("web/asyncapi.json")};
    *state = &d;
    return d.openapi && d.asyncapi ? 0 : -1;
}

static int teardown(void **state)
{
    const struct documents *d = *state;
    json_decref(d->openapi);
    json_decref(d->asyncapi);
    return 0;
}

static bool holds(const json_t *list, const char *name)
{
    size_t i;
    const json_t *v;
    json_array_foreach(list, i, v)
    {
        if (strcmp(json_string_value(v), name) == 0)
            return true;
    }
    return false;
}

/* The list has these names and no others. */
static void same_names(const char *what, const json_t *list, const char *const *names, size_t n)
{
    assert_true(json_is_array(list));
    for (size_t i = 0; i < n; i++)
        if (!holds(list, names[i]))
            fail_msg("%s: \"%s\" is not documented", what, names[i]);
    if (json_array_size(list) != n)
        fail_msg("%s: %zu are documented, there are %zu", what, json_array_size(list), n);
}

static json_t *schema_of(const json_t *document, const char *name)
{
    json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    json_t *schema = json_object_get(schemas, name);
    if (!schema)
        fail_msg("there is no schema %s", name);
    return schema;
}

static json_t *enum_of(const json_t *document, const char *name)
{
    return json_object_get(schema_of(document, name), "enum");
}

/* --- routes --- */

static bool describes(const char *path, const struct route *r)
{
    size_t n = strlen(r->path);
    return r->flags & ROUTE_PREFIX ? strncmp(path, r->path, n) == 0 && path[n] == '{'
                                   : strcmp(path, r->path) == 0;
}

static const char *method_name(const struct route *r)
{
    return r->method == METHOD_GET ? "get" : "post";
}

static json_t *operation_of(json_t *paths, const struct route *r)
{
    const char *path, *method = method_name(r);
    json_t *item, *found = NULL;
    json_object_foreach(paths, path, item)
    {
        if (!describes(path, r) || !json_object_get(item, method))
            continue;
        assert_null(found);
        found = json_object_get(item, method);
    }
    if (!found)
        fail_msg("%s %s is not documented", method, r->path);
    return found;
}

/* The role that a token must have; anonymous: nothing needs to be shown where the configuration
 * says so. */
static enum role role_of(const json_t *operation, bool *anonymous)
{
    const json_t *security = json_object_get(operation, "security"), *requirement;
    int role = ROLE_NONE;
    size_t i;
    assert_true(json_is_array(security));
    *anonymous = json_array_size(security) == 0;
    json_array_foreach(security, i, requirement)
    {
        const json_t *roles = json_object_get(requirement, "bearer");
        *anonymous |= json_object_size(requirement) == 0;
        if (json_array_size(roles) > 0)
            role = role_parse(json_string_value(json_array_get(roles, 0)));
    }
    assert_true(role >= 0);
    return (enum role)role;
}

static void every_route_is_documented_with_its_role(void **state)
{
    const struct documents *d = *state;
    json_t *paths = json_object_get(d->openapi, "paths");
    for (size_t i = 0; i < routes_len; i++) {
        const struct route *r = &routes[i];
        const json_t *operation = operation_of(paths, r);
        const json_t *responses = json_object_get(operation, "responses");
        bool anonymous;
        if (role_of(operation, &anonymous) != r->role)
            fail_msg("%s: another role than %s is documented", r->path, role_name(r->role));
        assert_int_equal(anonymous, r->role <= ROLE_VIEWER || r->flags & ROUTE_LOOPBACK);
        if (r->role >= ROLE_VIEWER)
            assert_non_null(json_object_get(responses, "401"));
        if (r->role >= ROLE_ANALYST || r->flags & (ROUTE_CHANGES | ROUTE_WHOLE))
            assert_non_null(json_object_get(responses, "403"));
    }
}

static void no_route_is_documented_that_is_not_there(void **state)
{
    const struct documents *d = *state;
    const char *path, *method;
    json_t *item, *operation;
    json_object_foreach(json_object_get(d->openapi, "paths"), path, item)
    {
        json_object_foreach(item, method, operation)
        {
            size_t i = 0;
            while (i < routes_len &&
                   !(describes(path, &routes[i]) && strcmp(method_name(&routes[i]), method) == 0))
                i++;
            if (i == routes_len)
                fail_msg("%s %s is documented, and is no route", method, path);
        }
    }
}

/* --- messages --- */

/* The constant of `member` in the payload of each of the WebSocket's messages that has one. */
static json_t *constants(const struct documents *d, const char *member)
{
    json_t *list = json_array(), *message;
    const json_t *channels = json_object_get(d->asyncapi, "channels");
    const json_t *all = json_object_get(json_object_get(d->asyncapi, "components"), "messages");
    const char *key, *ref;
    json_object_foreach(json_object_get(json_object_get(channels, "ws"), "messages"), key, message)
    {
        ref = NULL;
        (void)json_unpack(json_object_get(all, key), "{s:{s:s}}", "payload", "$ref", &ref);
        assert_non_null(ref);
        const json_t *schema = schema_of(d->asyncapi, strrchr(ref, '/') + 1);
        const json_t *property = json_object_get(
            json_object_get(json_object_get(schema, "properties"), member), "const");
        if (property)
            json_array_append_new(list, json_string(json_string_value(property)));
    }
    return list;
}

static void every_message_is_documented(void **state)
{
    static const char *const actions[] = {
#define X(id, name) name,
        PROTOCOL_ACTIONS(X)
#undef X
    };
    const char *types[PROTOCOL_TYPES_LEN];
    for (int i = 0; i < PROTOCOL_TYPES_LEN; i++)
        types[i] = protocol_type_name((enum protocol_type)i);
    json_t *sent = constants(*state, "type"), *understood = constants(*state, "action");
    same_names("type", sent, types, ARRAY_LEN(types));
    same_names("action", understood, actions, ARRAY_LEN(actions));
    json_decref(sent);
    json_decref(understood);
}

static void every_error_is_documented(void **state)
{
    static const struct {
        int code;
        const char *name;
    } errors[] = {
#define X(id, code, name) {code, name},
        PROTOCOL_ERRORS(X)
#undef X
    };
    const struct documents *d = *state;
    const json_t *properties = json_object_get(schema_of(d->asyncapi, "Error"), "properties");
    const json_t *codes = json_object_get(json_object_get(properties, "code"), "enum");
    const json_t *names = json_object_get(json_object_get(properties, "error"), "enum");
    assert_int_equal(json_array_size(codes), ARRAY_LEN(errors));
    assert_int_equal(json_array_size(names), ARRAY_LEN(errors));
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        assert_int_equal(json_integer_value(json_array_get(codes, i)), errors[i].code);
        assert_string_equal(json_string_value(json_array_get(names, i)), errors[i].name);
    }
}

static void every_close_code_is_documented(void **state)
{
    const struct documents *d = *state;
    const json_t *channels = json_object_get(d->asyncapi, "channels"), *row;
    const json_t *rows = json_object_get(json_object_get(channels, "ws"), "x-close-codes");
    size_t i, documented = 0, sent = 0;
    for (int k = 0; k < CLOSE_REASONS_LEN; k++) {
        int code = close_reason_code((enum close_reason)k);
        sent += code > 0;
        json_array_foreach(rows, i, row)
        {
            const char *reason = json_string_value(json_object_get(row, "reason"));
            documented += json_integer_value(json_object_get(row, "code")) == code && reason &&
                          strcmp(reason, close_reason_name((enum close_reason)k)) == 0;
        }
    }
    assert_int_equal(documented, sent);
    assert_int_equal(json_array_size(rows), sent);
}

/* --- names --- */

static void the_names_are_those_of_the_program(void **state)
{
    const struct documents *d = *state;
    const char *states[STATE_UNAVAILABLE + 1], *markets[MARKET_POST + 1], *jobs[JOBS_LEN];
    const char *failures[FAILURES_LEN - 1], *roles[ROLE_ADMIN];
    for (int i = 0; i <= STATE_UNAVAILABLE; i++)
        states[i] = quote_state_name((enum quote_state)i);
    for (int i = 0; i <= MARKET_POST; i++)
        markets[i] = quote_market_name((enum quote_market)i);
    for (int i = 0; i < JOBS_LEN; i++)
        jobs[i] = job_name((enum job)i);
    for (int i = FAIL_NONE + 1; i < FAILURES_LEN; i++)
        failures[i - 1] = failure_name((enum failure)i);
    for (int i = ROLE_VIEWER; i <= ROLE_ADMIN; i++)
        roles[i - 1] = role_name((enum role)i);
    same_names("State", enum_of(d->openapi, "State"), states, ARRAY_LEN(states));
    same_names("Market", enum_of(d->openapi, "Market"), markets, ARRAY_LEN(markets));
    same_names("Job", enum_of(d->openapi, "Job"), jobs, ARRAY_LEN(jobs));
    same_names("Failure", enum_of(d->openapi, "Failure"), failures, ARRAY_LEN(failures));
    same_names("Role", enum_of(d->openapi, "Role"), roles, ARRAY_LEN(roles));
}

/* --- items --- */

static struct decimal number(const char *text)
{
    struct decimal d;
    assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
    return d;
}

/* Adds the names of the members of an item's text. */
static void add_members(struct buf *text, json_t *names)
{
    const char *name;
    json_t *value, *item = json_loadb(text->p, text->len, 0, NULL);
    assert_non_null(item);
    json_object_foreach(item, name, value)
    {
        json_object_set_new(names, name, json_true());
    }
    json_decref(item);
    buf_fini(text);
}

static void same_members(const json_t *document, const char *schema, json_t *names)
{
    json_t *properties = json_object_get(schema_of(document, schema), "properties"), *value;
    const char *name;
    json_object_foreach(names, name, value)
    {
        if (!json_object_get(properties, name))
            fail_msg("%s: \"%s\" is not documented", schema, name);
    }
    json_object_foreach(properties, name, value)
    {
        if (!json_object_get(names, name))
            fail_msg("%s: \"%s\" is documented, and is in no item", schema, name);
    }
    json_decref(names);
}

static void every_member_of_a_quote_is_documented(void **state)
{
    const struct documents *d = *state;
    const struct decimal one = number("1.5");
    const struct quote q = {.symbol = "coffee",
                            .currency = "USD",
                            .unit = "USD/lb",
                            .price = one,
                            .bid = one,
                            .ask = one,
                            .open = one,
                            .high = one,
                            .low = one,
                            .prev_close = one,
                            .volume = one,
                            .source = "yahoo",
                            .source_symbol = "KC=F",
                            .derived = true,
                            .delayed_s = 1,
                            .stale_after_ms = 1};
    struct buf text = {0};
    json_t *names = json_object();
    quote_encode(&q, &text);
    add_members(&text, names);
    same_members(d->openapi, "QuoteMembers", names);
}

static void every_member_of_an_observation_is_documented(void **state)
{
    const struct documents *d = *state;
    struct observation o = {
        .values = {{"value", "mm", number("1.5")}, {"rain", "mm", number("2")}},
        .values_len = 1,
        .region = "here",
        .series = "A",
        .period = "2025",
        .text = "words",
        .citations = {"https://example.org/"                             },
        .citations_len = 1
    };
    const struct observation_envelope e = {.name = "a",
                                           .category = "weather",
                                           .source = "eia",
                                           .source_symbol = "A",
                                           .delayed_s = 1,
                                           .stale_after_ms = 1};
    struct buf text = {0};
    json_t *names = json_object();
    observation_encode(&o, &e, &text);
    add_members(&text, names);
    o.values_len = 2;
    observation_encode(&o, &e, &text);
    add_members(&text, names);
    same_members(d->openapi, "ObservationMembers", names);
}

static void both_are_of_this_version(void **state)
{
    const struct documents *d = *state;
    const json_t *documents[] = {d->openapi, d->asyncapi};
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        const json_t *info = json_object_get(documents[i], "info");
        assert_string_equal(json_string_value(json_object_get(info, "version")), PRICEGATE_VERSION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_documented_with_its_role),
        cmocka_unit_test(no_route_is_documented_that_is_not_there),
        cmocka_unit_test(every_message_is_documented),
        cmocka_unit_test(every_error_is_documented),
        cmocka_unit_test(every_close_code_is_documented),
        cmocka_unit_test(the_names_are_those_of_the_program),
        cmocka_unit_test(every_member_of_a_quote_is_documented),
        cmocka_unit_test(every_member_of_an_observation_is_documented),
        cmocka_unit_test(both_are_of_this_version),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
