/* judge_libraries.c - versions, and what is known to be wrong with them.
 *
 * The table holds what was found out when this program was written against these versions: found by
 * trying, or in a library's own reports. Most of it is worked around here, in the file that is
 * named behind it, and needs nobody's attention; it is told so that whoever sees one of these
 * faults elsewhere, or wants to drop a workaround, finds it. Of other versions of a library we do
 * not know whether they have the same; the workarounds stay in use with all of them. */
#include <string.h>

#include "judges.h"

static const struct known {
    enum doctor_library library;
    const char *found_in; /* major.minor */
    const char *what;
    const char *way_out; /* NULL: worked around */
} known[] = {
    {LIBRARY_WEBSOCKETS, "4.1",  "it turns in circles when open files run out",                       NULL},
    {LIBRARY_WEBSOCKETS, "4.1",  "it hides that a port is taken or a certificate is missing",         NULL},
    {LIBRARY_WEBSOCKETS, "4.1",  "it believes negative lengths, and looks at one of two that differ",
     NULL                                                                                                 },
    {LIBRARY_WEBSOCKETS, "4.1",  "a request behind a POST is answered twice",                         NULL},
    {LIBRARY_WEBSOCKETS, "4.1",  "a record of TLS that is read in parts can hold it up for ever",
     NULL                                                                                                 },
    {LIBRARY_WEBSOCKETS, "4.1",  "it offers HTTP/2 without that protocol's limits",                   NULL},
    {LIBRARY_WEBSOCKETS, "4.1",  "it answers bare pings and tells nobody, so they cannot be limited",
     "where strangers connect directly, limit packets before they arrive (nft, HAProxy)"                  },
    {LIBRARY_WEBSOCKETS, "4.3",
     "what is behind the body of a POST counts as body, which never ends",                            NULL},
    {LIBRARY_WEBSOCKETS, "4.3",  "it closes connections when routes beside them change",              NULL},
    {LIBRARY_WEBSOCKETS, "4.1",  "Debian's has assertions that end the process",
     "let something start it again, as the shipped service does (Restart=always)"                         },
    {LIBRARY_HIREDIS,    "0.14", "its adapter for libuv loses disconnections",                        NULL},
    {LIBRARY_HIREDIS,    "0.14", "it looks up names while everything waits",                          NULL},
    {LIBRARY_HIREDIS,    "0.14", "it has no time-outs, and queues without end",                       NULL},
    {LIBRARY_HIREDIS,    "0.14", "it may abort on UNSUBSCRIBE",                                       NULL},
    {LIBRARY_HIREDIS,    "0.14", "it ends the process when memory runs out",
     "let something start it again, as the shipped service does (Restart=always)"                         },
    {LIBRARY_HIREDIS,    "1.2",  "with TLS it checks no name, and hides why a handshake failed",      NULL},
    {LIBRARY_CURL,       "7.88", "its limit of size stops neither compressed nor chunked answers",    NULL},
    {LIBRARY_CURL,       "7.88", "a name server that is dead stops everything for 7 s",               NULL},
    {LIBRARY_CURL,       "7.88", "it sends a header that holds a line break as two",                  NULL},
    {LIBRARY_JANSSON,    "2.14", "it keeps no digits of numbers",                                     NULL},
    {LIBRARY_JANSSON,    "2.14", "its parser corrupts memory when there is none left",                NULL},
    {LIBRARY_UV,         "1.44", "a lookup of a name cannot be stopped",                              NULL},
};

/* "4.1.6" is of "4.1". */
static bool is_of(const char *version, const char *found_in)
{
    size_t len = strlen(found_in);
    return strncmp(version, found_in, len) == 0 && (version[len] == '.' || version[len] == '\0');
}

/* As strcmp(), by the numbers between the points. */
static int compare(const char *a, const char *b)
{
    while (*a || *b) {
        char *a_end, *b_end;
        long x = strtol(a, &a_end, 10), y = strtol(b, &b_end, 10);
        if (x != y)
            return x < y ? -1 : 1;
        a = a_end + (*a_end == '.');
        b = b_end + (*b_end == '.');
        if (a_end == a && b_end == b)
            break;
    }
    return 0;
}

/* The libraries that promise to stay compatible may only be newer. */
static bool is_suspicious(enum doctor_library id, const struct library *l)
{
    int order = l->runs[0] ? compare(l->runs, l->built) : 0;
    return order < 0 || (order > 0 && id == LIBRARY_WEBSOCKETS);
}

static void add_version(enum doctor_library id, const struct library *l, struct findings *to)
{
    const char *version = l->runs[0] ? l->runs : l->built;
    struct buf list = {0};
    size_t n = 0;
    bool same = false;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].library != id || known[i].way_out)
            continue;
        buf_addf(&list, "%s%s", n++ > 0 ? "; " : "", known[i].what);
        same = same || is_of(version, known[i].found_in);
    }
    to->failed = to->failed || list.failed;
    if (is_suspicious(id, l)) {
        findings_add(to, FINDING_WARNING, "%s %s, but this program was built with %s", l->name,
                     l->runs, l->built);
        findings_advise(to, "build it again here, or install the library that it was built with");
    } else if (n == 0 || !list.p) {
        findings_add(to, FINDING_OK, "%s %s", l->name, version);
    } else {
        findings_add(to, FINDING_OK, "%s %s; worked around%s: %s", l->name, version,
                     same ? "" : ", as an earlier version needed it", list.p);
    }
    buf_fini(&list);
}

void judge_libraries(const struct doctor_facts *f, struct findings *to)
{
    for (int id = 0; id < LIBRARIES_LEN; id++) {
        const struct library *l = &f->libraries[id];
        const char *version = l->runs[0] ? l->runs : l->built;
        add_version((enum doctor_library)id, l, to);
        for (size_t i = 0; i < ARRAY_LEN(known); i++) {
            if (known[i].library != (enum doctor_library)id || !known[i].way_out ||
                !is_of(version, known[i].found_in))
                continue;
            findings_add(to, FINDING_OK, "%s %s; known, and not ours to mend: %s", l->name, version,
                         known[i].what);
            findings_advise(to, "%s", known[i].way_out);
        }
    }
}

void judge_event_library(const struct doctor_facts *f, struct findings *to)
{
    if (f->has_event_library) {
        findings_add(to, FINDING_OK, "libwebsockets turns with libuv");
        return;
    }
    findings_add(to, FINDING_PROBLEM,
                 "libwebsockets cannot turn with libuv: its part for that is "
                 "missing");
    findings_advise(to, "apt install libwebsockets-evlib-uv");
}
