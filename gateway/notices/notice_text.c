#include "notice_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "utf8.h"

enum { SUBJECT_NAMES = 3 }; /* so many matters are named in a subject */

struct writer {
    const struct notices_message *m;
    const struct notice_speaker *by;
};

/* One line, whatever is in it. */
static void add_line_of(struct buf *out, const char *s)
{
    size_t left = strlen(s);
    while (left > 0) {
        size_t n = utf8_len(s, left);
        if (n == 0)
            buf_addc(out, '?');
        else if ((unsigned char)*s < 0x20 || *s == 0x7F)
            buf_addc(out, ' ');
        else
            buf_add(out, s, n);
        s += n > 0 ? n : 1;
        left -= n > 0 ? n : 1;
    }
}

const char *notice_time(int64_t wall_ms, char out[static NOTICE_TIME_MAX])
{
    char text[CLOCK_RFC3339_MAX];
    clock_rfc3339(wall_ms > 0 ? wall_ms : 0, text);
    snprintf(out, NOTICE_TIME_MAX, "%.10s %.8s UTC", text, text + 11);
    return out;
}

/* "42 s", "7 min", "3 h 5 min", "2 days 3 h" */
static void add_span(struct buf *out, int64_t ms)
{
    int64_t s = ms > 0 ? ms / 1000 : 0, min = s / 60, h = min / 60, days = h / 24;
    if (min == 0)
        buf_addf(out, "%" PRId64 " s", s);
    else if (h == 0)
        buf_addf(out, "%" PRId64 " min", min);
    else if (days == 0)
        buf_addf(out, "%" PRId64 " h %" PRId64 " min", h, min % 60);
    else
        buf_addf(out, "%" PRId64 " day%s %" PRId64 " h", days, days == 1 ? "" : "s", h % 24);
}

static void add_fact(struct buf *out, const char *what, const char *said)
{
    if (!*said)
        return;
    buf_addf(out, "  %s: ", what);
    add_line_of(out, said);
    buf_addc(out, '\n');
}

static void add_times(const struct writer *w, const struct notice *x, struct buf *out)
{
    char from[NOTICE_TIME_MAX], to[NOTICE_TIME_MAX];
    if (x->kind == NOTICE_SUCCESS)
        return;
    buf_addf(out, "  since: %s", notice_time(x->since_ms, from));
    if (x->kind == NOTICE_RECOVERY)
        buf_addf(out, ", until %s", notice_time(x->ended_ms, to));
    buf_adds(out, " (");
    add_span(out, (x->kind == NOTICE_RECOVERY ? x->ended_ms : w->by->wall_ms) - x->since_ms);
    buf_adds(out, ")\n");
}

static void add_notice(const struct writer *w, const struct notice *x, struct buf *out)
{
    struct notice_facts f = {.name = ""};
    w->by->describe(w->by->ctx, x, &f);
    buf_addf(out, "%s%s: ", x->again ? "still " : "", notice_kind_name(x->kind));
    add_line_of(out, f.what);
    buf_addc(out, '\n');
    add_times(w, x, out);
    add_fact(out, "why", f.why);
    add_fact(out, "last good", f.last_good);
    add_fact(out, "to do", f.to_do);
    buf_addc(out, '\n');
}

static void add_name(const struct writer *w, size_t matter, struct buf *out)
{
    const struct notice x = {.matter = matter};
    struct notice_facts f = {.name = ""};
    w->by->describe(w->by->ctx, &x, &f);
    add_line_of(out, f.name);
}

static void add_more(const struct writer *w, struct buf *out)
{
    const struct notices_message *m = w->m;
    if (m->more_all > 0) {
        buf_addf(out, "and %zu more: ", m->more_all);
        for (size_t i = 0; i < m->more_len; i++) {
            buf_adds(out, i > 0 ? ", " : "");
            add_name(w, m->more[i], out);
        }
        buf_adds(out, m->more_len < m->more_all ? ", ...\n" : "\n");
    }
    if (m->passed > 0)
        buf_addf(out, "%zu more %s over before %s could be told.\n", m->passed,
                 m->passed == 1 ? "change was" : "changes were", m->passed == 1 ? "it" : "they");
    if (m->more_all > 0 || m->passed > 0)
        buf_addc(out, '\n');
}

/* "2 failures, 1 recovery" */
static void add_counts(const struct notices_message *m, struct buf *out)
{
    static const char *const many[] = {"failures", "partial", "recoveries", "successes"};
    bool first = true;
    for (int i = 0; i < NOTICE_KINDS; i++) {
        if (m->counts[i] == 0)
            continue;
        buf_addf(out, "%s%zu %s", first ? "" : ", ", m->counts[i],
                 m->counts[i] == 1 ? notice_kind_name((enum notice_kind)i) : many[i]);
        first = false;
    }
}

static void add_subject(const struct writer *w, struct buf *out)
{
    const struct notices_message *m = w->m;
    buf_adds(out, "[pricegate ");
    add_line_of(out, w->by->name);
    buf_adds(out, "] ");
    if (m->told_len == 1) {
        struct notice_facts f = {.name = ""};
        w->by->describe(w->by->ctx, &m->told[0], &f);
        buf_addf(out, "%s%s: ", m->told[0].again ? "still " : "",
                 notice_kind_name(m->told[0].kind));
        add_line_of(out, f.what);
        return;
    }
    add_counts(m, out);
    buf_adds(out, ": ");
    for (size_t i = 0; i < m->told_len && i < SUBJECT_NAMES; i++) {
        buf_adds(out, i > 0 ? ", " : "");
        add_name(w, m->told[i].matter, out);
    }
    if (m->told_len + m->more_all > SUBJECT_NAMES)
        buf_adds(out, ", ...");
}

int notice_text_write(const struct notices_message *m, const struct notice_speaker *by,
                      struct buf *subject, struct buf *text)
{
    const struct writer w = {m, by};
    char now[NOTICE_TIME_MAX];
    add_subject(&w, subject);
    for (size_t i = 0; i < m->told_len; i++)
        add_notice(&w, &m->told[i], text);
    add_more(&w, text);
    buf_adds(text, "pricegate ");
    add_line_of(text, by->name);
    buf_addf(text, ", %s\n", notice_time(by->wall_ms, now));
    return subject->failed || text->failed ? -1 : 0;
}
