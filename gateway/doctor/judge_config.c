#include <string.h>

#include "judges.h"
#include "settings.h"

/* A finding for each line. */
static void add_lines(struct findings *to, enum finding_state state, const struct buf *lines,
                      const char *where, const char *advice)
{
    for (const char *p = lines->p; p && *p;) {
        size_t len = strcspn(p, "\n");
        findings_add(to, state, "%s%s%.*s", where, *where ? ": " : "", (int)len, p);
        findings_advise(to, "%s", advice);
        p += len + (p[len] == '\n');
    }
}

void judge_config(const struct doctor_facts *f, struct findings *to)
{
    char size[SETTINGS_SIZE_MAX];
    if (!f->config)
        add_lines(to, FINDING_PROBLEM, f->problems, f->origin,
                  "correct it; `man pricegate.json` has every setting");
    else
        findings_add(to, FINDING_OK, "%s: %s", f->origin, settings_size(f->config, size));
}

void judge_environment(const struct doctor_facts *f, struct findings *to)
{
    add_lines(to, FINDING_WARNING, f->warnings, "", "correct its name, or unset it");
}

static enum finding_state state_of(enum named_files_kind kind)
{
    return kind == NAMED_NOTE ? FINDING_WARNING : FINDING_PROBLEM;
}

static const char DEAD_LETTERS[] = "quality.dead_letter_dir";

static bool add_file(const struct doctor_file *file, struct findings *to)
{
    findings_add(to, state_of(file->kind), "%s", file->sentence);
    if (file->advice)
        findings_advise(to, "%s", file->advice);
    return true;
}

static bool has_own_check(const char *setting)
{
    static const char *const begins[] = {"listen.tls", "redis", DEAD_LETTERS};
    for (size_t i = 0; i < ARRAY_LEN(begins); i++)
        if (strncmp(setting, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

void judge_files(const struct doctor_facts *f, struct findings *to)
{
    bool any = false;
    for (size_t i = 0; i < f->files_len; i++)
        if (!has_own_check(f->files[i].setting))
            any = add_file(&f->files[i], to);
    if (!any && f->files_len == 0)
        findings_add(to, FINDING_OK, "every file that the configuration names can be used");
}

void judge_dead_letters(const struct doctor_facts *f, struct findings *to)
{
    bool any = false;
    if (!f->config->quality.dead_letter_dir)
        return;
    for (size_t i = 0; i < f->files_len; i++)
        if (strcmp(f->files[i].setting, DEAD_LETTERS) == 0)
            any = add_file(&f->files[i], to);
    if (!any)
        findings_add(to, FINDING_OK, "%s: %s can be written to", DEAD_LETTERS,
                     f->config->quality.dead_letter_dir);
}
