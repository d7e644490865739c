#include "job.h"

#include <string.h>

#include "attrs.h"

static const char *const names[JOBS_LEN] = {
    [JOB_ENRICH] = "enrich",
    [JOB_FULL] = "full",
    [JOB_INTELLIGENCE] = "intelligence",
    [JOB_MARKET] = "market",
};

const char *job_name(enum job j)
{
    return names[j];
}

enum job job_of_name(const char *name)
{
    int i = 0;
    while (i < JOBS_LEN && strcmp(names[i], name) != 0)
        i++;
    return (enum job)i;
}

enum job_status job_status(size_t requested, size_t failed, size_t budget)
{
    if (failed == 0)
        return JOB_SUCCESS;
    return failed < requested || budget > 0 ? JOB_PARTIAL : JOB_FAILED;
}

const char *job_status_name(enum job_status s)
{
    static const char *const statuses[] = {
        [JOB_SUCCESS] = "success", [JOB_PARTIAL] = "partial", [JOB_FAILED] = "failed"};
    return statuses[s];
}
