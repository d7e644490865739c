/* Loading goes over the file twice: first its shape (config_keys.c: unknown keys, lists where
 * objects belong), then the values, place by place (config_read.c). Neither stops at a problem.
 * What is left for this file is what no table can say: which places there are, and the rules that
 * tie one setting to another - a certificate to its key, a source to its provider, a symbol to all
 * the others.
 *
 * Problems come out in that order, not in the order of the file; each has its path. */
#include "config.h"

#include <string.h>

#include "arena.h"
#include "config_env.h"
#include "config_keys.h"
#include "config_read.h"
#include "jsonx.h"
#include "listen_host.h"
#include "symtab.h"

#define TEXT_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* The list under key with its elements' size; NULL and 0 where it is absent or no list (which
 * config_keys_check() told). */
static void *make_list(struct config_reader *r, const json_t *list, size_t size, size_t *len)
{
    *len = json_array_size(list);
    void *elements = arena_alloc(r->arena, *len, size);
    if (!elements)
        *len = 0;
    return elements;
}

static void read_keys(struct config_reader *r, const json_t *root, struct config *c)
{
    const json_t *list = config_member(root, "auth.keys");
    struct config_key *keys = make_list(r, list, sizeof *keys, &c->auth.keys_len);
    for (size_t i = 0; i < c->auth.keys_len; i++) {
        struct config_place p = {
            .pattern = "auth.keys[]", .object = json_array_get(list, i), .base = &keys[i]};
        snprintf(p.path, sizeof p.path, "auth.keys[%zu]", i);
        size_t before = r->problems->len;
        if (json_is_object(p.object))
            config_read_place(r, &p);
        for (size_t k = 0; k < i && r->problems->len == before; k++)
            if (memcmp(keys[k].sha256, keys[i].sha256, sizeof keys[i].sha256) == 0)
                config_problem(r, p.path, "the same key as auth.keys[%zu]", k);
    }
    c->auth.keys = keys;
}

/* Where instruments of a kind stand in the configuration. */
static const struct {
    const char *list, *pattern, *sources;
} kinds[] = {
    [INSTRUMENT_QUOTE] = {"instruments",  "instruments[]",  "instruments[].sources[]" },
    [INSTRUMENT_OBSERVATION] = {"observations", "observations[]", "observations[].sources[]"},
};

/* "no base_url: BASE is not set", in the arena; without memory what is missing (and then the whole
 * configuration is refused). */
static const char *reason(struct config_reader *r, const char *what, const char *variable)
{
    size_t size = strlen(what) + strlen(variable) + sizeof ":  is not set";
    char *sentence = arena_alloc(r->arena, size, 1);
    if (!sentence)
        return what;
    snprintf(sentence, size, "%s: %s is not set", what, variable);
    return sentence;
}

/* Why a provider cannot be asked, or NULL. */
static const char *why_disabled(struct config_reader *r, const struct config_place *p,
                                const struct config_provider_rule *rule,
                                const struct config_provider *cp)
{
    const char *no_key = config_place_unset(p, "api_key");
    const char *no_url = config_place_unset(p, "base_url");
    if (!cp->enabled && !rule->enabled_by_default && !config_member(p->object, "enabled"))
        return "not switched on (enabled is false unless the configuration says true)";
    if (!cp->enabled)
        return "switched off in the configuration";
    if (no_url && !cp->base_url)
        return reason(r, "no base_url", no_url);
    if (!rule->needs_key || cp->api_key)
        return NULL;
    if (!no_key)
        no_key = rule->key_env;
    return no_key ? reason(r, "no api_key", no_key) : "no api_key";
}

/* Ties an exchange to those before it. */
static void check_exchange(struct config_reader *r, const char *path,
                           const struct config_exchange *all, size_t i)
{
    char where[CONFIG_PATH_MAX];
    for (size_t k = 0; k < i && all[i].name; k++) {
        if (!all[k].name || strcmp(all[k].name, all[i].name) != 0)
            continue;
        config_path_join(where, path, "name");
        config_problem(r, where, "\"%s\" is the name of exchanges[%zu] already", all[i].name, k);
        return;
    }
}

static void read_exchanges(struct config_reader *r, const json_t *root, struct config *c)
{
    const json_t *list = json_object_get(root, "exchanges");
    struct config_exchange *all = make_list(r, list, sizeof *all, &c->exchanges_len);
    for (size_t i = 0; i < c->exchanges_len; i++) {
        struct config_place p = {
            .pattern = "exchanges[]", .object = json_array_get(list, i), .base = &all[i]};
        snprintf(p.path, sizeof p.path, "exchanges[%zu]", i);
        if (!json_is_object(p.object))
            continue;
        config_read_place(r, &p);
        check_exchange(r, p.path, all, i);
    }
    c->exchanges = all;
}

static void read_providers(struct config_reader *r, const json_t *root, struct config *c)
{
    size_t n = r->in->providers_len;
    struct config_provider *providers = arena_alloc(r->arena, n, sizeof *providers);
    const json_t *map = json_object_get(root, "providers");
    for (size_t i = 0; providers && i < n; i++) {
        const struct config_provider_rule *rule = &r->in->providers[i];
        struct config_provider *cp = &providers[i];
        *cp = (struct config_provider){
            .name = arena_strdup(r->arena, rule->name),
            .enabled = rule->enabled_by_default,
            .credits_per_second = rule->credits_per_second,
            .credits_per_minute = rule->credits_per_minute,
            .credits_per_hour = rule->credits_per_hour,
            .credits_per_day = rule->credits_per_day,
        };
        struct config_place p = {.pattern = "providers.*",
                                 .object = json_object_get(map, rule->name),
                                 .base = cp,
                                 .key_env = rule->key_env};
        config_path_join(p.path, "providers", rule->name);
        config_read_place(r, &p);
        cp->why_disabled = why_disabled(r, &p, rule, cp);
        cp->enabled = !cp->why_disabled;
    }
    c->providers = providers;
    c->providers_len = providers ? n : 0;
}

/* A provider of prices is no source of the weather, and the other way round. */
static const char *serves_other(const struct config_provider_rule *rule, enum instrument_kind kind)
{
    if (kind == INSTRUMENT_QUOTE && rule->serves == SERVES_OBSERVATIONS)
        return "has no prices: it is for observations";
    if (kind == INSTRUMENT_OBSERVATION && rule->serves == SERVES_QUOTES)
        return "has nothing but prices: it is for instruments";
    return NULL;
}

/* Ties a source to its provider. */
static void check_source(struct config_reader *r, const char *path, enum instrument_kind kind,
                         struct config_source *s)
{
    char where[CONFIG_PATH_MAX], hint[CONFIG_HINT_MAX];
    const struct config_provider_rule *rules = r->in->providers;
    size_t id = 0;
    if (!s->provider)
        return;
    while (id < r->in->providers_len && strcmp(rules[id].name, s->provider) != 0)
        id++;
    if (id == r->in->providers_len) {
        config_path_join(where, path, "provider");
        config_problem(r, where, "unknown provider \"%s\"%s", s->provider,
                       config_provider_hint(r->in, s->provider, hint));
        return;
    }
    s->provider_id = (int)id;
    const char *other = serves_other(&rules[id], kind);
    if (other) {
        config_path_join(where, path, "provider");
        config_problem(r, where, "%s %s", s->provider, other);
    }
    const char *should =
        s->symbol && rules[id].symbol_problem ? rules[id].symbol_problem(s->symbol) : NULL;
    if (should) {
        config_path_join(where, path, "symbol");
        config_problem(r, where, "\"%s\" is no symbol of %s: %s", s->symbol, s->provider, should);
    }
}

static void read_sources(struct config_reader *r, const struct config_place *parent,
                         struct instrument *in)
{
    const json_t *list = json_object_get(parent->object, "sources");
    struct config_source *sources = make_list(r, list, sizeof *sources, &in->sources_len);
    for (size_t i = 0; i < in->sources_len; i++) {
        char place[CONFIG_PATH_MAX + 32];
        struct config_place p = {.pattern = kinds[in->kind].sources,
                                 .object = json_array_get(list, i),
                                 .base = &sources[i]};
        snprintf(place, sizeof place, "%s.sources[%zu]", parent->path, i);
        config_path_join(p.path, "", place);
        if (!json_is_object(p.object))
            continue;
        config_read_place(r, &p);
        check_source(r, p.path, in->kind, &sources[i]);
    }
    in->sources = sources;
}

static void check_unique(struct config_reader *r, const struct config_place *p, struct config *c,
                         size_t i)
{
    const char *symbol = c->instruments[i].symbol;
    char where[CONFIG_PATH_MAX];
    if (!symbol || symtab_add(c->symbols, symbol, (int)i) == 0)
        return;
    size_t first = (size_t)symtab_find(c->symbols, symbol, strlen(symbol));
    bool quote = first < c->quotes_len;
    config_path_join(where, p->path, i < c->quotes_len ? "symbol" : "name");
    config_problem(r, where, "\"%s\" is the %s of %s[%zu] already", symbol,
                   quote ? "symbol" : "name", kinds[c->instruments[first].kind].list,
                   quote ? first : first - c->quotes_len);
}

static void read_instrument(struct config_reader *r, const json_t *object, struct config *c,
                            struct instrument *in)
{
    size_t i = (size_t)(in - c->instruments);
    struct config_place p = {.pattern = kinds[in->kind].pattern, .object = object, .base = in};
    snprintf(p.path, sizeof p.path, "%s[%zu]", kinds[in->kind].list,
             i < c->quotes_len ? i : i - c->quotes_len);
    if (!json_is_object(object))
        return;
    config_read_place(r, &p);
    if (in->symbol && !in->name)
        in->name = in->symbol;
    check_unique(r, &p, c, i);
    read_sources(r, &p, in);
}

/* One array for both lists: whoever polls, holds or hands out what is under a symbol need not ask
 * what it is. */
static void read_instruments(struct config_reader *r, const json_t *root, struct config *c)
{
    const json_t *quotes = json_object_get(root, kinds[INSTRUMENT_QUOTE].list);
    const json_t *observations = json_object_get(root, kinds[INSTRUMENT_OBSERVATION].list);
    size_t n = json_array_size(quotes) + json_array_size(observations);
    struct instrument *all = arena_alloc(r->arena, n, sizeof *all);
    c->symbols = symtab_new(n);
    if (!all || !c->symbols)
        return;
    c->instruments = all;
    c->instruments_len = n;
    c->quotes_len = json_array_size(quotes);
    for (size_t i = 0; i < n; i++) {
        bool quote = i < c->quotes_len;
        all[i].kind = quote ? INSTRUMENT_QUOTE : INSTRUMENT_OBSERVATION;
        read_instrument(
            r, quote ? json_array_get(quotes, i) : json_array_get(observations, i - c->quotes_len),
            c, &all[i]);
    }
}

/* Who gives a part of it wants signed tokens: then it must be whole. */
static void check_jwt(struct config_reader *r, const json_t *root, const struct config *c)
{
    const char *secret = c->auth.jwt.secret, *file = c->auth.jwt.public_key_file;
    if (c->auth.jwt.alg == TOKEN_NONE) {
        if (!config_member(root, "auth.jwt.alg") && /* else that was wrong, and told */
            (json_is_object(config_member(root, "auth.jwt")) || secret || file))
            config_problem(r, "auth.jwt.alg", "is required: HS256, RS256 or ES256");
        return;
    }
    bool shared = c->auth.jwt.alg == TOKEN_HS256;
    if (shared && !secret && !config_member(root, "auth.jwt.secret")) /* else that was told */
        config_problem(r, "auth.jwt.secret", "is required for HS256");
    if (shared && file)
        config_problem(r, "auth.jwt.public_key_file", "is not for HS256, which has a secret");
    if (!shared && !file)
        config_problem(r, "auth.jwt.public_key_file", "is required for RS256 and ES256");
    if (!shared && secret)
        config_problem(r, "auth.jwt.secret", "is for HS256 only");
}

/* What is given, and is not there, was wrong, and told. */
static void require_member(struct config_reader *r, const json_t *root, const char *path,
                           bool is_there, const char *why)
{
    const json_t *v = config_member(root, path);
    if (!is_there && (!v || json_is_null(v) || json_is_array(v)))
        config_problem(r, path, "%s", why);
}

/* A password goes to nobody in plain text. */
static void check_mail(struct config_reader *r, const json_t *root, const struct config *c)
{
    static const char with_url[] = "is required where notifications.mail.url is";
    static const char with_other[] = "is required where the other one is given";
    const char *user = c->notifications.mail.user, *password = c->notifications.mail.password;
    bool plain =
        !c->notifications.mail.starttls && strncmp(c->notifications.mail.url, "smtp://", 7) == 0;
    size_t to = json_array_size(config_member(root, "notifications.mail.to"));
    require_member(r, root, "notifications.mail.from", c->notifications.mail.from, with_url);
    require_member(r, root, "notifications.mail.to", to > 0, with_url);
    require_member(r, root, "notifications.mail.user", user || !password, with_other);
    require_member(r, root, "notifications.mail.password", password || !user, with_other);
    if (to > CONFIG_MAIL_TO_MAX)
        config_problem(r, "notifications.mail.to",
                       "has more than %d addresses: name one that the mail server passes on",
                       CONFIG_MAIL_TO_MAX);
    if (password && plain)
        config_problem(r, "notifications.mail.starttls",
                       "must not be false where there is a password: it would go as plain text");
}

static void check_notifications(struct config_reader *r, const json_t *root, const struct config *c)
{
    if (c->notifications.mail.url)
        check_mail(r, root, c);
    else if (json_is_object(config_member(root, "notifications.mail")) &&
             !config_member(root, "notifications.mail.url")) /* else that was wrong, or is null */
        config_problem(r, "notifications.mail.url", "is required, as smtp://mail.example.com:587");
}

static void check_unix(struct config_reader *r, const struct config *c)
{
    if (c->listen.metrics_host && listen_host_path(c->listen.metrics_host))
        config_problem(r, "listen.metrics_host", "must be an address or a name: it has a port");
    if (!c->listen.host || !listen_host_path(c->listen.host))
        return;
    if (c->listen.tls_cert || c->listen.tls_key)
        config_problem(r, "listen.tls", "is not for a unix socket: leave TLS to who is before it");
    if (c->listen.share)
        config_problem(r, "listen.share", "is not for a unix socket: only a port can be shared");
}

static bool is_same_host(const struct config *c)
{
    const char *host = c->listen.host, *metrics_host = c->listen.metrics_host;
    return host && !listen_host_path(host) && (!metrics_host || strcmp(host, metrics_host) == 0);
}

static void check_listen(struct config_reader *r, const struct config *c)
{
    check_unix(r, c);
    if (c->listen.tls_cert && !c->listen.tls_key)
        config_problem(r, "listen.tls.key", "is required where listen.tls.cert is given");
    if (c->listen.tls_key && !c->listen.tls_cert)
        config_problem(r, "listen.tls.cert", "is required where listen.tls.key is given");
    if (c->listen.port > 0 && c->listen.metrics_port == c->listen.port && is_same_host(c))
        config_problem(r, "listen.metrics_port", "is the same as listen.port, %d", c->listen.port);
}

static void check_redis(struct config_reader *r, const struct config *c)
{
    const char *given = c->redis.tls_ca     ? "redis.tls.ca"
                        : c->redis.tls_cert ? "redis.tls.cert"
                        : c->redis.tls_key  ? "redis.tls.key"
                                            : NULL;
    if (given && c->redis.url && strncmp(c->redis.url, "rediss://", 9) != 0)
        config_problem(r, given, "is for a redis.url that begins with rediss://");
    if (c->redis.tls_cert && !c->redis.tls_key)
        config_problem(r, "redis.tls.key", "is required where redis.tls.cert is given");
    if (c->redis.tls_key && !c->redis.tls_cert)
        config_problem(r, "redis.tls.cert", "is required where redis.tls.key is given");
}

int64_t config_role_delay_s(const struct config *c, enum role role)
{
    switch (role) {
    case ROLE_VIEWER:
        return c->auth.delay_s.viewer;
    case ROLE_ANALYST:
        return c->auth.delay_s.analyst;
    case ROLE_NONE:
    case ROLE_ADMIN:
        break;
    }
    return 0;
}

/* Puts a delay into its place, if it is one and not there yet; false: there is no room. */
static bool add_delay(int64_t *list, size_t *len, int64_t delay_s)
{
    size_t at = 0;
    while (at < *len && list[at] < delay_s)
        at++;
    if (delay_s <= 0 || (at < *len && list[at] == delay_s))
        return true;
    if (*len == CONFIG_DELAYS_MAX)
        return false;
    memmove(&list[at + 1], &list[at], (*len - at) * sizeof *list);
    list[at] = delay_s;
    ++*len;
    return true;
}

static bool collect_delays(const struct config *c, int64_t *list, size_t *len)
{
    *len = 0;
    bool fits = add_delay(list, len, c->auth.delay_s.viewer);
    fits &= add_delay(list, len, c->auth.delay_s.analyst);
    for (size_t i = 0; i < c->auth.keys_len; i++)
        fits &= add_delay(list, len, c->auth.keys[i].delay_s);
    return fits;
}

size_t config_delays(const struct config *c, int64_t out[static CONFIG_DELAYS_MAX])
{
    size_t n;
    REQUIRE(collect_delays(c, out, &n)); /* checked when it was loaded */
    return n;
}

static void check_delays(struct config_reader *r, const struct config *c)
{
    int64_t list[CONFIG_DELAYS_MAX] = {0};
    size_t n;
    if (!collect_delays(c, list, &n))
        config_problem(r, "auth",
                       "has more than %d different delays (delay_s): each is a market of its own",
                       CONFIG_DELAYS_MAX);
}

static void read_all(struct config_reader *r, json_t *root, struct buf *warnings, struct config *c)
{
    struct config_place whole = {.pattern = "", .object = root, .base = c};
    config_keys_check(r, root);
    if (!json_is_object(root))
        return;
    config_read_place(r, &whole);
    check_listen(r, c);
    check_redis(r, c);
    check_jwt(r, root, c);
    check_notifications(r, root, c);
    read_keys(r, root, c);
    check_delays(r, c);
    read_providers(r, root, c);
    read_exchanges(r, root, c);
    read_instruments(r, root, c);
    config_env_check(r->in, warnings);
}

struct config *config_load(const struct config_input *in, struct buf *problems,
                           struct buf *warnings)
{
    struct config *c = NULL;
    struct err err;
    struct config_reader r = {.in = in, .arena = arena_new(), .problems = problems};
    json_t *root = jsonx_parse(in->text, in->len, TEXT_BYTES_MAX, &err);
    size_t before = problems->len;

    if (!r.arena)
        goto no_memory;
    c = arena_alloc(r.arena, 1, sizeof *c);
    if (!c)
        goto no_memory;
    c->arena = r.arena;
    if (root)
        read_all(&r, root, warnings, c);
    else
        config_problem(&r, "(the whole file)", "%s", err.text);
    if (arena_failed(r.arena) || problems->failed || (json_is_object(root) && !c->symbols))
        goto no_memory;
    if (problems->len > before) {
        config_free(c);
        c = NULL;
    }
    json_decref(root);
    return c;

no_memory:
    buf_adds(problems, "(the whole file): out of memory\n");
    if (c)
        config_free(c);
    else
        arena_free(r.arena);
    json_decref(root);
    return NULL;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    symtab_free(c->symbols);
    arena_free(c->arena);
}

bool config_uses(const struct config *c, size_t provider)
{
    for (size_t i = 0; i < c->instruments_len; i++)
        for (size_t k = 0; k < c->instruments[i].sources_len; k++)
            if (c->instruments[i].sources[k].provider_id == (int)provider)
                return true;
    return false;
}

bool config_has_source(const struct config *c, size_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    for (size_t i = 0; i < in->sources_len; i++)
        if (c->providers[in->sources[i].provider_id].enabled)
            return true;
    return in->sources_len == 0;
}
