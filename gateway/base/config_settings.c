#include "config_settings.h"

#include <string.h>

#include "config.h"
#include "config_check.h"

#define AT(type, member)   .offset = offsetof(struct type, member), .size = SIZE(type, member)
#define ALSO(type, member) .second_offset = offsetof(struct type, member)
#define SIZE(type, member) sizeof(((struct type *)0)->member)
#define NOWHERE            .offset = 0, .size = 0
/* ROW(type, path, where it is stored, further members of struct config_setting...) */
#define ROW(t, p, ...)                                                                             \
    {                                                                                              \
        .type = CONFIG_##t, .path = (p), __VA_ARGS__                                               \
    }

#define DAY_MS      86400000.0
#define YEAR_S      31536000.0
#define CREDITS_MAX 1e9

static const struct config_choice log_formats[] = {
    {"json",   true },
    {"logfmt", false},
    {NULL,     0    }
};
static const struct config_choice log_levels[] = {
    {"error", LOG_ERROR},
    {"warn",  LOG_WARN },
    {"info",  LOG_INFO },
    {"debug", LOG_DEBUG},
    {NULL,    0        }
};
static const struct config_choice frequencies[] = {
    {"hourly",    EVERY_HOUR   },
    {"daily",     EVERY_DAY    },
    {"weekly",    EVERY_WEEK   },
    {"monthly",   EVERY_MONTH  },
    {"quarterly", EVERY_QUARTER},
    {"annual",    EVERY_YEAR   },
    {NULL,        0            }
};
static const struct config_choice roles[] = {
    {"viewer",  ROLE_VIEWER },
    {"analyst", ROLE_ANALYST},
    {"admin",   ROLE_ADMIN  },
    {NULL,      0           }
};

static const struct config_choice algorithms[] = {
    {"HS256", TOKEN_HS256},
    {"RS256", TOKEN_RS256},
    {"ES256", TOKEN_ES256},
    {NULL,    0          }
};

/* In the order of their paths. */
const struct config_setting config_settings[] = {
    ROW(TEXT, "$schema", NOWHERE, .min = 1, .max = 200),
    ROW(CHOICE, "auth.anonymous_role", AT(config, auth.anonymous_role), .flags = CONFIG_NULLABLE,
        .dflt = "\"viewer\"", .choices = roles, .none = ROLE_NONE),
    ROW(INT, "auth.delay_s.analyst", AT(config, auth.delay_s.analyst), .dflt = "0", .min = 0,
        .max = 86400),
    ROW(INT, "auth.delay_s.viewer", AT(config, auth.delay_s.viewer), .dflt = "0", .min = 0,
        .max = 86400),
    ROW(CHOICE, "auth.jwt.alg", AT(config, auth.jwt.alg), .choices = algorithms),
    ROW(TEXT, "auth.jwt.audience", AT(config, auth.jwt.audience), .min = 1, .max = 200),
    ROW(TEXT, "auth.jwt.issuer", AT(config, auth.jwt.issuer), .min = 1, .max = 200),
    ROW(TEXT, "auth.jwt.public_key_file", AT(config, auth.jwt.public_key_file), .min = 1,
        .max = 4096),
    ROW(TEXT, "auth.jwt.secret", AT(config, auth.jwt.secret), .flags = CONFIG_SECRET, .min = 1,
        .max = 500),
    ROW(INT, "auth.keys[].delay_s", AT(config_key, delay_s), .flags = CONFIG_NULLABLE, .min = 0,
        .max = 86400, .none = -1),
    ROW(TEXT, "auth.keys[].name", AT(config_key, name), .flags = CONFIG_REQUIRED, .min = 1,
        .max = 64),
    ROW(CHOICE, "auth.keys[].role", AT(config_key, role), .flags = CONFIG_REQUIRED,
        .choices = roles),
    ROW(SHA256, "auth.keys[].sha256", AT(config_key, sha256),
        .flags = CONFIG_REQUIRED | CONFIG_SECRET, .problem = config_check_sha256),
    ROW(TEXT_LIST, "auth.keys[].symbols", AT(config_key, symbols), ALSO(config_key, symbols_len),
        .flags = CONFIG_NULLABLE, .min = 1, .max = 33, .problem = config_check_pattern),
    ROW(INT, "breaker.threshold", AT(config, breaker.threshold), .dflt = "3", .min = 1, .max = 1000,
        .env = "DATA_PIPELINE_CIRCUIT_BREAKER_THRESHOLD"),
    ROW(INT, "breaker.timeout_s", AT(config, breaker.timeout_s), .dflt = "300", .min = 1,
        .max = 86400, .env = "DATA_PIPELINE_CIRCUIT_BREAKER_TIMEOUT_S"),
    ROW(INT, "drain_s", AT(config, drain_s), .dflt = "5", .min = 0, .max = 300),
    ROW(TEXT, "exchanges[].holidays_file", AT(config_exchange, holidays_file),
        .flags = CONFIG_NULLABLE, .min = 1, .max = 4096),
    ROW(TEXT_LIST, "exchanges[].hours", AT(config_exchange, hours),
        ALSO(config_exchange, hours_len), .flags = CONFIG_NULLABLE, .min = 1, .max = 32,
        .problem = config_check_hours),
    ROW(TEXT, "exchanges[].name", AT(config_exchange, name), .flags = CONFIG_REQUIRED, .min = 1,
        .max = 32),
    ROW(TEXT_LIST, "exchanges[].post_hours", AT(config_exchange, post_hours),
        ALSO(config_exchange, post_hours_len), .flags = CONFIG_NULLABLE, .min = 1, .max = 32,
        .problem = config_check_hours),
    ROW(TEXT_LIST, "exchanges[].pre_hours", AT(config_exchange, pre_hours),
        ALSO(config_exchange, pre_hours_len), .flags = CONFIG_NULLABLE, .min = 1, .max = 32,
        .problem = config_check_hours),
    ROW(TEXT, "exchanges[].timezone", AT(config_exchange, timezone), .flags = CONFIG_NULLABLE,
        .min = 1, .max = 64, .problem = config_check_timezone),
    ROW(BOOL, "fanout.compression", AT(config, fanout.compression), .flags = CONFIG_AT_START,
        .dflt = "false"),
    ROW(INT, "fanout.flush_ms", AT(config, fanout.flush_ms), .dflt = "10", .min = 0, .max = 1000),
    ROW(INT, "fanout.heartbeat_ms", AT(config, fanout.heartbeat_ms), .dflt = "20000", .min = 100,
        .max = 3600000),
    ROW(INT, "fanout.sndbuf_bytes", AT(config, fanout.sndbuf_bytes), .flags = CONFIG_AT_START,
        .dflt = "131072", .min = 4096, .max = 16777216),
    ROW(BOOL, "feeds_enabled", AT(config, feeds_enabled), .flags = CONFIG_ENV_ONLY, .dflt = "true",
        .env = "REALTIME_PRICE_FEED_ENABLED"),
    ROW(TEXT, "instruments[].category", AT(instrument, category), .dflt = "\"prices\"", .min = 1,
        .max = 40, .problem = config_check_category),
    ROW(TEXT, "instruments[].currency", AT(instrument, currency), .flags = CONFIG_NULLABLE,
        .min = 2, .max = 7, .problem = config_check_currency),
    ROW(INT, "instruments[].delayed_after_ms", AT(instrument, delayed_after_ms), .dflt = "60000",
        .min = 0, .max = DAY_MS),
    ROW(TEXT, "instruments[].exchange", AT(instrument, exchange), .flags = CONFIG_NULLABLE,
        .min = 1, .max = 32),
    ROW(NUMBER, "instruments[].max_jump_pct", AT(instrument, max_jump_pct),
        .flags = CONFIG_ABOVE_MIN, .dflt = "20", .min = 0, .max = 1000000),
    ROW(TEXT, "instruments[].name", AT(instrument, name), .flags = CONFIG_NULLABLE, .min = 1,
        .max = 100),
    ROW(INT, "instruments[].poll_ms", AT(instrument, poll_ms), .dflt = "15000", .min = 100,
        .max = DAY_MS),
    ROW(RANGE, "instruments[].range", AT(instrument, range_min),
        .flags = CONFIG_NULLABLE | CONFIG_ABOVE_MIN, ALSO(instrument, range_max)),
    ROW(TEXT, "instruments[].sources[].provider", AT(config_source, provider),
        .flags = CONFIG_REQUIRED, .min = 1, .max = 32),
    ROW(TEXT, "instruments[].sources[].symbol", AT(config_source, symbol), .flags = CONFIG_REQUIRED,
        .min = 1, .max = 64),
    ROW(INT, "instruments[].stale_after_ms", AT(instrument, stale_after_ms),
        .flags = CONFIG_NULLABLE, .min = 100, .max = YEAR_S * 1000),
    ROW(TEXT, "instruments[].symbol", AT(instrument, symbol), .flags = CONFIG_REQUIRED, .min = 1,
        .max = 32, .problem = config_check_symbol),
    ROW(INT, "instruments[].ttl_s", AT(instrument, ttl_s), .dflt = "120", .min = 1, .max = YEAR_S),
    ROW(TEXT, "instruments[].unit", AT(instrument, unit), .flags = CONFIG_NULLABLE, .min = 1,
        .max = 32),
    ROW(CHOICE, "jobs.enrich.every", AT(config, jobs.enrich.every), .flags = CONFIG_NULLABLE,
        .choices = frequencies, .none = EVERY_NEVER),
    ROW(TEXT_LIST, "jobs.enrich.times", AT(config, jobs.enrich.times),
        ALSO(config, jobs.enrich.times_len), .dflt = "[]", .min = 1, .max = 5,
        .problem = config_check_time_of_day, .env = "AUTO_ENRICH_TIME"),
    ROW(CHOICE, "jobs.full.every", AT(config, jobs.full.every), .flags = CONFIG_NULLABLE,
        .choices = frequencies, .none = EVERY_NEVER),
    ROW(TEXT_LIST, "jobs.full.times", AT(config, jobs.full.times),
        ALSO(config, jobs.full.times_len), .dflt = "[]", .min = 1, .max = 5,
        .problem = config_check_time_of_day),
    ROW(CHOICE, "jobs.intelligence.every", AT(config, jobs.intelligence.every),
        .flags = CONFIG_NULLABLE, .choices = frequencies, .none = EVERY_NEVER),
    ROW(TEXT_LIST, "jobs.intelligence.times", AT(config, jobs.intelligence.times),
        ALSO(config, jobs.intelligence.times_len), .dflt = "[]", .min = 1, .max = 5,
        .problem = config_check_time_of_day, .env = "INTELLIGENCE_REFRESH_TIMES"),
    ROW(CHOICE, "jobs.market.every", AT(config, jobs.market.every), .flags = CONFIG_NULLABLE,
        .choices = frequencies, .none = EVERY_NEVER),
    ROW(TEXT_LIST, "jobs.market.times", AT(config, jobs.market.times),
        ALSO(config, jobs.market.times_len), .dflt = "[]", .min = 1, .max = 5,
        .problem = config_check_time_of_day, .env = "MARKET_REFRESH_TIMES"),
    ROW(INT, "jobs.max_retries", AT(config, jobs.max_retries), .dflt = "3", .min = 0, .max = 10,
        .env = "DATA_PIPELINE_MAX_RETRIES"),
    ROW(INT, "jobs.retry_s", AT(config, jobs.retry_s), .dflt = "5", .min = 1, .max = 3600),
    ROW(INT, "jobs.sla_s", AT(config, jobs.sla_s), .dflt = "120", .min = 1, .max = 86400),
    ROW(TEXT, "jobs.timezone", AT(config, jobs.timezone), .dflt = "\"UTC\"", .min = 1, .max = 64,
        .problem = config_check_timezone),
    ROW(INT, "limits.accept_per_s", AT(config, limits.accept_per_s), .dflt = "0", .min = 0,
        .max = 1000000),
    ROW(INT, "limits.acks_bytes", AT(config, limits.acks_bytes), .dflt = "65536", .min = 1024,
        .max = 16777216),
    ROW(INT, "limits.auth_ms", AT(config, limits.auth_ms), .dflt = "10000", .min = 100,
        .max = 600000),
    ROW(INT, "limits.body_bytes", AT(config, limits.body_bytes), .dflt = "65536", .min = 0,
        .max = 16777216),
    ROW(INT, "limits.body_ms", AT(config, limits.body_ms), .flags = CONFIG_AT_START,
        .dflt = "10000", .min = 100, .max = 600000),
    ROW(INT, "limits.commands_per_minute", AT(config, limits.commands_per_minute), .dflt = "240",
        .min = 1, .max = 1000000),
    ROW(INT, "limits.connection_age_s", AT(config, limits.connection_age_s), .dflt = "0", .min = 0,
        .max = YEAR_S),
    ROW(INT, "limits.connections", AT(config, limits.connections), .dflt = "0", .min = 0,
        .max = 10000000),
    ROW(INT, "limits.connections_per_ip", AT(config, limits.connections_per_ip), .dflt = "0",
        .min = 0, .max = 10000000),
    ROW(INT, "limits.fragments", AT(config, limits.fragments), .dflt = "16", .min = 1,
        .max = 65536),
    ROW(INT, "limits.headers_ms", AT(config, limits.headers_ms), .flags = CONFIG_AT_START,
        .dflt = "5000", .min = 100, .max = 600000),
    ROW(INT, "limits.idle_ms", AT(config, limits.idle_ms), .dflt = "45000", .min = 100,
        .max = 86400000),
    ROW(INT, "limits.message_bytes", AT(config, limits.message_bytes), .dflt = "65536", .min = 256,
        .max = 1048576),
    ROW(INT, "limits.redis_backoff_ms", AT(config, limits.redis_backoff_ms),
        .flags = CONFIG_AT_START, .dflt = "4000", .min = 100, .max = 600000),
    ROW(INT, "limits.redis_connect_ms", AT(config, limits.redis_connect_ms),
        .flags = CONFIG_AT_START, .dflt = "2000", .min = 100, .max = 600000),
    ROW(INT, "limits.redis_in_flight", AT(config, limits.redis_in_flight), .flags = CONFIG_AT_START,
        .dflt = "1024", .min = 16, .max = 1000000),
    ROW(INT, "limits.redis_ping_ms", AT(config, limits.redis_ping_ms), .flags = CONFIG_AT_START,
        .dflt = "1000", .min = 100, .max = 600000),
    ROW(INT, "limits.refresh_ms", AT(config, limits.refresh_ms), .dflt = "5000", .min = 0,
        .max = 86400000),
    ROW(INT, "limits.refused_per_minute", AT(config, limits.refused_per_minute), .dflt = "100",
        .min = 1, .max = 10000),
    ROW(INT, "limits.slow_ms", AT(config, limits.slow_ms), .dflt = "30000", .min = 100,
        .max = 86400000),
    ROW(INT, "limits.symbols_per_connection", AT(config, limits.symbols_per_connection),
        .dflt = "500", .min = 1, .max = 100000),
    ROW(INT, "limits.upstream_bytes", AT(config, limits.upstream_bytes), .dflt = "262144",
        .min = 1024, .max = 1048576),
    ROW(INT, "limits.upstream_header_bytes", AT(config, limits.upstream_header_bytes),
        .dflt = "16384", .min = 1024, .max = 1048576),
    ROW(INT, "limits.upstream_ms", AT(config, limits.upstream_ms), .dflt = "5000", .min = 100,
        .max = 600000),
    ROW(BOOL, "limits.upstream_public", AT(config, limits.upstream_public),
        .flags = CONFIG_AT_START, .dflt = "false"),
    ROW(TEXT, "listen.host", AT(config, listen.host), .flags = CONFIG_AT_START,
        .dflt = "\"127.0.0.1\"", .min = 1, .max = 255, .problem = config_check_host),
    ROW(TEXT, "listen.metrics_host", AT(config, listen.metrics_host),
        .flags = CONFIG_AT_START | CONFIG_NULLABLE, .min = 1, .max = 255,
        .problem = config_check_host),
    ROW(INT, "listen.metrics_port", AT(config, listen.metrics_port),
        .flags = CONFIG_AT_START | CONFIG_NULLABLE, .min = 0, .max = 65535, .none = -1),
    ROW(INT, "listen.port", AT(config, listen.port), .flags = CONFIG_AT_START, .dflt = "8080",
        .min = 0, .max = 65535),
    ROW(BOOL, "listen.share", AT(config, listen.share), .flags = CONFIG_AT_START, .dflt = "false"),
    ROW(TEXT, "listen.tls.cert", AT(config, listen.tls_cert), .min = 1, .max = 4096),
    ROW(TEXT, "listen.tls.key", AT(config, listen.tls_key), .min = 1, .max = 4096),
    ROW(TEXT_LIST, "listen.trusted_proxies", AT(config, listen.trusted_proxies),
        ALSO(config, listen.trusted_proxies_len), .dflt = "[]", .min = 1, .max = 64,
        .problem = config_check_cidr),
    ROW(TEXT, "listen.web_root", AT(config, listen.web_root), .flags = CONFIG_NULLABLE, .min = 1,
        .max = 4096),
    ROW(CHOICE, "log.format", AT(config, log.json), .dflt = "\"json\"", .choices = log_formats),
    ROW(CHOICE, "log.level", AT(config, log.level), .dflt = "\"info\"", .choices = log_levels),
    ROW(INT, "notifications.after_s", AT(config, notifications.after_s), .dflt = "60", .min = 0,
        .max = 86400),
    ROW(INT, "notifications.every_s", AT(config, notifications.every_s), .dflt = "300", .min = 0,
        .max = 86400),
    ROW(BOOL, "notifications.failure", AT(config, notifications.failure), .dflt = "true"),
    ROW(TEXT, "notifications.mail.from", AT(config, notifications.mail.from),
        .flags = CONFIG_NULLABLE, .min = 3, .max = 254, .problem = config_check_mailbox),
    ROW(TEXT, "notifications.mail.password", AT(config, notifications.mail.password),
        .flags = CONFIG_NULLABLE | CONFIG_SECRET, .min = 1, .max = 500),
    ROW(BOOL, "notifications.mail.starttls", AT(config, notifications.mail.starttls),
        .dflt = "true"),
    ROW(TEXT_LIST, "notifications.mail.to", AT(config, notifications.mail.to),
        ALSO(config, notifications.mail.to_len), .dflt = "[]", .min = 3, .max = 254,
        .problem = config_check_mailbox),
    ROW(TEXT, "notifications.mail.url", AT(config, notifications.mail.url),
        .flags = CONFIG_NULLABLE | CONFIG_SECRET, .min = 1, .max = 300,
        .problem = config_check_mail_url),
    ROW(TEXT, "notifications.mail.user", AT(config, notifications.mail.user),
        .flags = CONFIG_NULLABLE | CONFIG_SECRET, .min = 1, .max = 254),
    ROW(TEXT, "notifications.name", AT(config, notifications.name), .flags = CONFIG_NULLABLE,
        .min = 1, .max = 64),
    ROW(BOOL, "notifications.partial", AT(config, notifications.partial), .dflt = "true"),
    ROW(BOOL, "notifications.recovery", AT(config, notifications.recovery), .dflt = "true"),
    ROW(INT, "notifications.repeat_s", AT(config, notifications.repeat_s), .dflt = "86400",
        .min = 0, .max = YEAR_S),
    ROW(BOOL, "notifications.success", AT(config, notifications.success), .dflt = "false"),
    ROW(TEXT, "notifications.webhook.url", AT(config, notifications.webhook.url),
        .flags = CONFIG_NULLABLE | CONFIG_SECRET, .min = 1, .max = 1000,
        .problem = config_check_webhook_url),
    ROW(TEXT, "observations[].category", AT(instrument, category), .dflt = "\"observations\"",
        .min = 1, .max = 40, .problem = config_check_category),
    ROW(INT, "observations[].delayed_after_ms", AT(instrument, delayed_after_ms), .dflt = "3600000",
        .min = 0, .max = YEAR_S * 1000),
    ROW(TEXT, "observations[].name", AT(instrument, symbol), .flags = CONFIG_REQUIRED, .min = 1,
        .max = 32, .problem = config_check_symbol),
    ROW(INT, "observations[].poll_ms", AT(instrument, poll_ms), .dflt = "900000", .min = 100,
        .max = 30 * DAY_MS),
    ROW(RANGE, "observations[].range", AT(instrument, range_min), .flags = CONFIG_NULLABLE,
        ALSO(instrument, range_max)),
    ROW(TEXT, "observations[].region", AT(instrument, region), .flags = CONFIG_NULLABLE, .min = 1,
        .max = 60),
    ROW(TEXT, "observations[].sources[].provider", AT(config_source, provider),
        .flags = CONFIG_REQUIRED, .min = 1, .max = 32),
    ROW(TEXT, "observations[].sources[].symbol", AT(config_source, symbol),
        .flags = CONFIG_REQUIRED, .min = 1, .max = 64),
    ROW(INT, "observations[].stale_after_ms", AT(instrument, stale_after_ms),
        .flags = CONFIG_NULLABLE, .min = 100, .max = YEAR_S * 1000),
    ROW(TEXT, "observations[].title", AT(instrument, name), .flags = CONFIG_NULLABLE, .min = 1,
        .max = 100),
    ROW(INT, "observations[].ttl_s", AT(instrument, ttl_s), .dflt = "3600", .min = 1,
        .max = YEAR_S),
    ROW(TEXT, "observations[].unit", AT(instrument, unit), .flags = CONFIG_NULLABLE, .min = 1,
        .max = 32),
    ROW(TEXT_LIST, "origins", AT(config, origins), ALSO(config, origins_len), .dflt = "[]",
        .min = 1, .max = 300, .problem = config_check_origin),
    ROW(TEXT, "providers.*.account", AT(config_provider, account),
        .flags = CONFIG_NULLABLE | CONFIG_MAY_BE_UNSET | CONFIG_SECRET, .min = 1, .max = 200),
    ROW(TEXT, "providers.*.api_key", AT(config_provider, api_key),
        .flags = CONFIG_NULLABLE | CONFIG_MAY_BE_UNSET | CONFIG_SECRET | CONFIG_KEY_ENV, .min = 1,
        .max = 500),
    ROW(TEXT, "providers.*.base_url", AT(config_provider, base_url),
        .flags = CONFIG_NULLABLE | CONFIG_MAY_BE_UNSET, .min = 1, .max = 300,
        .problem = config_check_base_url),
    ROW(INT, "providers.*.credits_per_day", AT(config_provider, credits_per_day), .min = 0,
        .max = CREDITS_MAX),
    ROW(INT, "providers.*.credits_per_hour", AT(config_provider, credits_per_hour), .min = 0,
        .max = CREDITS_MAX),
    ROW(INT, "providers.*.credits_per_minute", AT(config_provider, credits_per_minute), .min = 0,
        .max = CREDITS_MAX),
    ROW(INT, "providers.*.credits_per_second", AT(config_provider, credits_per_second), .min = 0,
        .max = CREDITS_MAX),
    ROW(BOOL, "providers.*.enabled", AT(config_provider, enabled), .flags = 0),
    ROW(TEXT, "quality.dead_letter_dir", AT(config, quality.dead_letter_dir),
        .flags = CONFIG_NULLABLE, .min = 1, .max = 4096),
    ROW(TEXT, "redis.prefix", AT(config, redis.prefix), .flags = CONFIG_AT_START, .dflt = "\"\"",
        .min = 0, .max = 64),
    ROW(TEXT, "redis.tls.ca", AT(config, redis.tls_ca), .flags = CONFIG_AT_START, .min = 1,
        .max = 4096),
    ROW(TEXT, "redis.tls.cert", AT(config, redis.tls_cert), .flags = CONFIG_AT_START, .min = 1,
        .max = 4096),
    ROW(TEXT, "redis.tls.key", AT(config, redis.tls_key), .flags = CONFIG_AT_START, .min = 1,
        .max = 4096),
    ROW(TEXT, "redis.url", AT(config, redis.url), .flags = CONFIG_AT_START | CONFIG_SECRET,
        .dflt = "\"\"", .min = 0, .max = 500, .problem = config_check_redis_url,
        .env = "REDIS_URL"),
};
#undef ROW
const size_t config_settings_len = ARRAY_LEN(config_settings);

const char *config_setting_key(const struct config_setting *s, const char *pattern)
{
    const char *key = s->path;
    for (const char *p = s->path; *p; p++)
        if (p[0] == '.' && p > s->path && (p[-1] == ']' || p[-1] == '*'))
            key = p + 1;
    size_t before = key == s->path ? 0 : (size_t)(key - s->path) - 1;
    return strlen(pattern) == before && memcmp(s->path, pattern, before) == 0 ? key : NULL;
}

enum config_kind config_kind_at(const char *pattern)
{
    size_t len = strlen(pattern);
    for (size_t i = 0; i < config_settings_len; i++) {
        const char *path = config_settings[i].path, *rest = path + len;
        if ((config_settings[i].flags & CONFIG_ENV_ONLY) || strncmp(path, pattern, len) != 0)
            continue;
        if (*rest == '\0')
            return CONFIG_LEAF;
        if (strncmp(rest, "[].", 3) == 0)
            return CONFIG_OBJECT_LIST;
        if (strncmp(rest, ".*.", 3) == 0)
            return CONFIG_MAP;
        if (*rest == '.')
            return CONFIG_OBJECT;
    }
    return CONFIG_UNKNOWN;
}
