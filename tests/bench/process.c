#include "process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t read_text(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(out, 1, size - 1, f) : 0;
    if (f)
        fclose(f);
    out[n] = '\0';
    return n;
}

static void read_stat(struct process_use *u, int pid)
{
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    read_text(path, text, sizeof text);
    const char *after_name = strrchr(text, ')'); /* a name may hold anything, brackets too */
    if (!after_name ||
        sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &system) != 2)
        return;
    double tick = (double)sysconf(_SC_CLK_TCK);
    u->user_s = (double)user / tick;
    u->system_s = (double)system / tick;
}

static long status_kb(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    return line ? strtol(line + strlen(name), NULL, 10) : 0;
}

static void read_memory(struct process_use *u, int pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    read_text(path, text, sizeof text);
    u->rss_kb = status_kb(text, "VmRSS:");
    u->peak_kb = status_kb(text, "VmHWM:");
}

static void read_thread(struct process_use *u, int pid, int id)
{
    char path[96], text[256];
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, id);
    read_text(path, text, sizeof text);
    char *wait = text;
    double cpu_s = strtod(text, &wait) / 1e9;
    u->cpu_s += cpu_s;
    u->wait_s += strtod(wait, NULL) / 1e9;
    if (u->threads_len == PROCESS_THREADS_MAX)
        return;
    struct process_thread *t = &u->threads[u->threads_len++];
    *t = (struct process_thread){.id = id, .cpu_s = cpu_s};
    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, id);
    read_text(path, t->name, sizeof t->name);
    t->name[strcspn(t->name, "\n\"\\")] = '\0';
}

void process_read(struct process_use *u, int pid)
{
    char path[64];
    *u = (struct process_use){0};
    if (pid <= 0)
        return;
    read_stat(u, pid);
    read_memory(u, pid);
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            read_thread(u, pid, (int)strtol(e->d_name, NULL, 10));
    if (d)
        closedir(d);
    if (!(u->cpu_s > 0))
        u->cpu_s = u->user_s + u->system_s;
}

void process_forget_peak(int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", pid);
    FILE *f = pid > 0 ? fopen(path, "w") : NULL;
    if (!f)
        return;
    fputs("5", f);
    fclose(f);
}

void process_since(struct process_use *out, const struct process_use *before,
                   const struct process_use *after)
{
    *out = *after;
    out->user_s -= before->user_s;
    out->system_s -= before->system_s;
    out->cpu_s -= before->cpu_s;
    out->wait_s -= before->wait_s;
    for (int i = 0; i < out->threads_len; i++)
        for (int j = 0; j < before->threads_len; j++)
            if (before->threads[j].id == out->threads[i].id)
                out->threads[i].cpu_s -= before->threads[j].cpu_s;
}
