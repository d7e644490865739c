/* config.h - the whole configuration as one value (PROTOCOL 2).
 *
 * config_load() reads one JSON text, lets the environment win over it, checks everything and either
 * returns a complete configuration or ALL problems, each with its path ("instruments[0].symbol").
 * It opens nothing but the system's time zones. Immutable afterwards; every string is owned by the
 * configuration and lives until config_free(). Instruments and providers are referred to everywhere
 * by their index here. The settings themselves, with types, ranges and defaults, are listed in
 * config_settings.h. */
#ifndef PRICEGATE_CONFIG_H
#define PRICEGATE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attrs.h"
#include "buf.h"
#include "decimal.h"
#include "log.h"
#include "role.h"
#include "symbol.h"

struct symtab;

struct config_source {
    const char *provider; /* name, known to be in the provider table */
    int provider_id;      /* index in that table and in config.providers */
    const char *symbol;   /* in the provider's own syntax */
};

struct instrument {
    enum instrument_kind kind;
    const char *symbol, *name, *category;   /* name defaults to the symbol */
    const char *unit, *currency, *exchange; /* NULL = not configured */
    const char *region;                     /* of an observation; NULL = the provider's word */
    struct decimal range_min, range_max;    /* given or not, both or neither; of a price > 0 */
    int64_t poll_ms, delayed_after_ms, ttl_s;
    int64_t stale_after_ms; /* 0 = not configured: max(120000, 3 x the stretched interval) */
    double max_jump_pct;
    const struct config_source *sources;
    size_t sources_len; /* 0 = fed only by other programs through the bus */
};

struct config_provider {
    const char *name;
    bool enabled;
    /* NULL when enabled, else "no api_key: TWELVE_DATA_API_KEY is not set" or the like. */
    const char *why_disabled;
    const char *api_key, *base_url, *account; /* NULL = not configured */
    /* 0 = no limit. What a credit is, the provider says: a symbol, or a request. */
    int64_t credits_per_second, credits_per_minute, credits_per_hour, credits_per_day;
};

/* The hours of an exchange. What is NULL is as it is built in (feeds/exchanges.h). */
struct config_exchange {
    const char *name, *timezone;
    const char *const *hours, *const *pre_hours, *const *post_hours; /* hours.h; len 0 = never */
    size_t hours_len, pre_hours_len, post_hours_len;
    const char *holidays_file; /* NULL = no holidays are known */
};

struct config_key {
    const char *name;
    enum role role;
    unsigned char sha256[32];
    const char *const *symbols; /* and patterns: all that its holder may see; NULL = no limit */
    size_t symbols_len;
    int64_t delay_s; /* how late its holder gets prices; -1 = as its role */
};
#define CONFIG_DELAYS_MAX  8  /* different ones */
#define CONFIG_MAIL_TO_MAX 20 /* recipients */

enum token_alg { TOKEN_NONE, TOKEN_HS256, TOKEN_RS256, TOKEN_ES256 };

/* How often a job runs by itself, beside its times of day: intervals of the calendar. */
enum config_every {
    EVERY_NEVER,
    EVERY_HOUR,
    EVERY_DAY,
    EVERY_WEEK,
    EVERY_MONTH,
    EVERY_QUARTER,
    EVERY_YEAR,
};

/* When a job runs (feeds/job_times.h). */
struct config_job {
    const char *const *times; /* "HH:MM", checked, in jobs.timezone */
    size_t times_len;
    enum config_every every;
};

struct config {
    struct {
        const char *host;                   /* listen_host.h */
        int port;                           /* means nothing where host is a unix socket */
        const char *tls_cert, *tls_key;     /* both or neither */
        const char *metrics_host;           /* NULL = host, or 127.0.0.1 where that has no port */
        int metrics_port;                   /* -1 = none */
        const char *const *trusted_proxies; /* CIDR texts, checked */
        size_t trusted_proxies_len;
        bool share;
        const char *web_root; /* NULL = the files compiled in */
    } listen;
    struct {
        const char *url, *prefix;                /* url "" = the embedded bus */
        const char *tls_ca, *tls_cert, *tls_key; /* NULL = none; the last two: both or neither */
    } redis;
    struct {
        enum role anonymous_role; /* ROLE_NONE = null: every route with a role needs a token */
        const struct config_key *keys;
        size_t keys_len;
        struct {
            enum token_alg alg;                   /* TOKEN_NONE: no signed tokens */
            const char *secret, *public_key_file; /* which of them, alg decides */
            const char *issuer, *audience;        /* NULL = not looked at */
        } jwt;
        struct {
            int64_t viewer, analyst;
        } delay_s; /* how late each role gets prices; an administrator gets them at once */
    } auth;
    const char *const *origins;
    size_t origins_len;
    struct {
        int64_t connection_age_s;                 /* of a stream, at most; 0 = any */
        int64_t connections;                      /* 0 = what RLIMIT_NOFILE allows */
        int64_t connections_per_ip, accept_per_s; /* 0 = unlimited */
        int64_t symbols_per_connection, message_bytes, fragments;
        int64_t commands_per_minute, refused_per_minute;
        int64_t headers_ms, body_ms, body_bytes; /* of a request */
        int64_t auth_ms;                         /* for the first token, and after one has ended */
        int64_t idle_ms;                         /* at least 2.25 heartbeats, whatever it says */
        int64_t slow_ms, acks_bytes;             /* of a client whose socket is full */
        int64_t refresh_ms;                      /* between two of one symbol */
        int64_t upstream_ms, upstream_bytes, upstream_header_bytes;
        bool upstream_public; /* no provider at a private address, whatever its name stands for */
        int64_t redis_connect_ms, redis_ping_ms, redis_backoff_ms, redis_in_flight;
    } limits;
    struct {
        int64_t flush_ms, heartbeat_ms, sndbuf_bytes;
        bool compression;
    } fanout;
    struct {
        int64_t threshold, timeout_s;
    } breaker;
    struct {
        const char *timezone; /* known to zone_load(); NULL = UTC */
        struct config_job market, intelligence, full, enrich;
        int64_t max_retries, retry_s, sla_s;
    } jobs;
    struct {
        const char *dead_letter_dir; /* NULL = failed records are only logged */
    } quality;
    int64_t drain_s;
    bool feeds_enabled; /* REALTIME_PRICE_FEED_ENABLED */
    struct {
        bool json;
        enum log_level level;
    } log;
    struct {
        const char *name;                         /* of this gateway; NULL = the host's */
        bool failure, partial, recovery, success; /* what is told of */
        int64_t after_s, every_s, repeat_s;       /* gateway/notices/notices.h */
        struct {
            const char *url; /* NULL = no mail; else from and to are there */
            const char *user, *password, *from;
            const char *const *to;
            size_t to_len;
            bool starttls;
        } mail;
        struct {
            const char *url; /* NULL = none */
        } webhook;
    } notifications;
    const struct config_provider *providers; /* one for each row of the provider table */
    size_t providers_len;
    const struct config_exchange *exchanges;
    size_t exchanges_len;
    const struct instrument *instruments; /* those of quotes, behind them the observations */
    size_t instruments_len;
    size_t quotes_len;      /* how many of them are quotes */
    struct symtab *symbols; /* symbol -> index in instruments */
    void *arena;            /* owns everything above */
};

enum config_serves { SERVES_QUOTES, SERVES_OBSERVATIONS, SERVES_BOTH };

/* What the configuration must know of a provider; the feed side has the table. */
struct config_provider_rule {
    const char *name;
    enum config_serves serves;
    const char *key_env; /* environment variable that gives api_key before the file does, or NULL */
    bool needs_key;
    bool enabled_by_default;
    /* Defaults; 0 = no limit. */
    int64_t credits_per_second, credits_per_minute, credits_per_hour, credits_per_day;
    /* NULL when the symbol is in the provider's syntax, else what it should look like. */
    const char *(*symbol_problem)(const char *symbol);
};

struct config_input {
    const char *text; /* JSON */
    size_t len;
    const char *const *environ_list; /* "NAME=value", NULL at the end */
    const struct config_provider_rule *providers;
    size_t providers_len;
};

/* NULL when anything is wrong; problems then holds one line each, "path: what is wrong\n", where
 * the path is the variable's name for a value that came from the environment. warnings gets a line
 * for each unknown PRICEGATE_ variable; neither may be NULL. */
struct config *config_load(const struct config_input *in, struct buf *problems,
                           struct buf *warnings) MUST_CHECK;
void config_free(struct config *c); /* NULL is fine */

/* The delays of roles and keys that are not 0, each once, the shortest first; returns how many. */
size_t config_delays(const struct config *c, int64_t out[static CONFIG_DELAYS_MAX]);
/* How late a role gets prices, in seconds. */
int64_t config_role_delay_s(const struct config *c, enum role role);

/* Is it in the chain of any instrument? */
bool config_uses(const struct config *c, size_t provider);
/* Can anybody be asked for this instrument, or is it fed by others only? */
bool config_has_source(const struct config *c, size_t instrument);
/* The way out for a provider that is used and not enabled. */
#define CONFIG_DISABLED_ADVICE                                                                     \
    "switch it on or set what is missing (in secrets.env under systemd), or take it out of the "   \
    "sources"

#endif
