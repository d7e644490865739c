/* judges.h - the checks, one function each; doctor.c has their table. Pure: facts in, findings out.
 * One that has nothing to say about a configuration (no TLS, no Redis) adds nothing. */
#ifndef PRICEGATE_JUDGES_H
#define PRICEGATE_JUDGES_H

#include "doctor.h"

typedef void doctor_check(const struct doctor_facts *f, struct findings *to);

/* judge_config.c */
doctor_check judge_config, judge_environment, judge_files, judge_dead_letters;
/* judge_tls.c; all but the first are silent where the files cannot be used */
doctor_check judge_tls_files, judge_tls_dates, judge_tls_names, judge_tls_chain, judge_tls_key;
/* judge_machine.c */
doctor_check judge_port, judge_metrics_port, judge_open_files, judge_backlog, judge_sndbuf,
    judge_ntp, judge_user;
/* judge_redis.c; all but the first are silent where it was not reached */
doctor_check judge_redis, judge_redis_version, judge_redis_role, judge_redis_rights,
    judge_redis_clients, judge_redis_buffers, judge_redis_memory, judge_redis_clock;
/* judge_providers.c */
doctor_check judge_keys, judge_answers, judge_provider_clock;
/* judge_libraries.c */
doctor_check judge_libraries, judge_event_library;

/* How a clock that is `ahead_ms` (+-unsure_ms) of ours is judged; whose: "Redis's". */
void judge_clock(struct findings *to, const char *whose, int64_t ahead_ms, int64_t unsure_ms);

#endif
