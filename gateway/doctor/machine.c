#include "machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "buf.h"
#include "capacity.h"

static const size_t FILE_MAX = (size_t)8 * 1024 * 1024;

/* All of a file of /proc, as far as it can be read. */
static void read_all(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");
    char *to;
    size_t n = 1;
    while (f && n > 0 && out->len < FILE_MAX && (to = buf_reserve(out, 65536)) != NULL) {
        n = fread(to, 1, 65536, f);
        out->len += n;
        to[n] = '\0';
    }
    if (f)
        fclose(f);
}

static int64_t read_number(const char *path)
{
    struct buf text = {0};
    read_all(path, &text);
    int64_t n = text.len > 0 ? strtoll(text.p, NULL, 10) : -1;
    buf_fini(&text);
    return n;
}

/* The kernel's own word: whoever keeps the clock right tells it so. */
static enum machine_ntp look_at_clock(void)
{
    struct timex t = {.modes = 0};
    int state = ntp_adjtime(&t);
    if (state < 0)
        return NTP_UNKNOWN;
    return state == TIME_ERROR || (t.status & STA_UNSYNC) ? NTP_FREE : NTP_KEPT;
}

void machine_look(struct machine *out)
{
    *out = (struct machine){
        .somaxconn = read_number("/proc/sys/net/core/somaxconn"),
        .wmem_max = read_number("/proc/sys/net/core/wmem_max"),
        .ntp = look_at_clock(),
        .is_root = geteuid() == 0,
    };
    out->files = capacity_raise_files(&out->files_why);
}

/* --- who has a port --- */

/* The nth word of a line, from 0. */
static const char *word(const char *line, int n)
{
    for (line += strspn(line, " "); n > 0; n--) {
        line += strcspn(line, " \n");
        line += strspn(line, " ");
    }
    return line;
}

/* "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...", an address being
 * "0100007F:1F90". */
unsigned long machine_listening_inode(const char *table, int port)
{
    static const unsigned long LISTENING = 10; /* the kernel's TCP_LISTEN */
    for (const char *line = table; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *colon = strchr(word(line, 1), ':');
        if (colon && strtoul(colon + 1, NULL, 16) == (unsigned long)port &&
            strtoul(word(line, 3), NULL, 16) == LISTENING)
            return strtoul(word(line, 9), NULL, 10);
    }
    return 0;
}

static unsigned long find_inode(int port)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    unsigned long inode = 0;
    for (size_t i = 0; i < ARRAY_LEN(tables) && inode == 0; i++) {
        struct buf text = {0};
        read_all(tables[i], &text);
        inode = text.len > 0 ? machine_listening_inode(text.p, port) : 0;
        buf_fini(&text);
    }
    return inode;
}

/* Is it among the files of the process? Another user's cannot be looked at. */
static bool has_socket(const char *pid, const char *socket)
{
    char path[300], link[64];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *d = opendir(path);
    const struct dirent *e;
    while (d && !found && (e = readdir(d)) != NULL) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
        link[n > 0 ? n : 0] = '\0';
        found = strcmp(link, socket) == 0;
    }
    if (d)
        closedir(d);
    return found;
}

static void read_name(struct machine_holder *out)
{
    char path[64];
    struct buf text = {0};
    snprintf(path, sizeof path, "/proc/%ld/comm", out->pid);
    read_all(path, &text);
    snprintf(out->name, sizeof out->name, "%.*s", text.p ? (int)strcspn(text.p, "\n") : 0,
             text.p ? text.p : "");
    buf_fini(&text);
}

void machine_find_holder(int port, struct machine_holder *out)
{
    char socket[64];
    unsigned long inode = find_inode(port);
    *out = (struct machine_holder){.found = false};
    snprintf(socket, sizeof socket, "socket:[%lu]", inode);
    DIR *d = inode > 0 ? opendir("/proc") : NULL;
    const struct dirent *e;
    while (d && !out->found && (e = readdir(d)) != NULL) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid > 0 && has_socket(e->d_name, socket))
            *out = (struct machine_holder){.found = true, .pid = pid};
    }
    if (d)
        closedir(d);
    if (out->found)
        read_name(out);
}
