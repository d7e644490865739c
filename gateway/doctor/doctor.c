#include "doctor.h"

#include "judges.h"

/* In the order in which they are told: what most often is the trouble comes last, right above the
 * count, where a terminal shows it. */
static const struct {
    const char *name;
    doctor_check *judge;
    bool needs_config;
} checks[] = {
    {"libraries.versions",   judge_libraries,      false},
    {"libraries.event_loop", judge_event_library,  false},
    {"machine.files",        judge_open_files,     false},
    {"machine.backlog",      judge_backlog,        false},
    {"machine.send_buffer",  judge_sndbuf,         true },
    {"machine.clock",        judge_ntp,            false},
    {"machine.user",         judge_user,           true },
    {"config.valid",         judge_config,         false},
    {"config.environment",   judge_environment,    false},
    {"config.files",         judge_files,          true },
    {"config.dead_letters",  judge_dead_letters,   true },
    {"listen.port",          judge_port,           true },
    {"listen.metrics_port",  judge_metrics_port,   true },
    {"tls.files",            judge_tls_files,      true },
    {"tls.dates",            judge_tls_dates,      true },
    {"tls.names",            judge_tls_names,      true },
    {"tls.chain",            judge_tls_chain,      true },
    {"tls.key",              judge_tls_key,        true },
    {"redis.link",           judge_redis,          true },
    {"redis.version",        judge_redis_version,  true },
    {"redis.role",           judge_redis_role,     true },
    {"redis.rights",         judge_redis_rights,   true },
    {"redis.clients",        judge_redis_clients,  true },
    {"redis.buffers",        judge_redis_buffers,  true },
    {"redis.memory",         judge_redis_memory,   true },
    {"redis.clock",          judge_redis_clock,    true },
    {"providers.keys",       judge_keys,           true },
    {"providers.answers",    judge_answers,        true },
    {"providers.clock",      judge_provider_clock, true },
};

void doctor_judge(const struct doctor_facts *f, struct findings *to)
{
    to->failed = to->failed || f->failed;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        to->check = checks[i].name;
        if (f->config || !checks[i].needs_config)
            checks[i].judge(f, to);
    }
}
