/* The files that are compiled in are there compressed, too, but for documents (embed.cmake says
 * why); those of a folder are served as they are.
 *
 * Only paths that files_path_ok() lets through are ever looked up, and in a folder each of them is
 * opened so that no symbolic link on the way is followed: the folder is what is in it.
 *
 * The machine-readable contract and the page that shows it describe this program. So they come from
 * it, whatever the configured folder holds. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embedded.h"
#include "handlers.h"
#include "server_private.h"

static const off_t FILE_BYTES_MAX = 16777216;

static const struct {
    const char *suffix, *type;
} types[] = {
    {".css",   "text/css; charset=utf-8"       },
    {".html",  "text/html; charset=utf-8"      },
    {".ico",   "image/x-icon"                  },
    {".js",    "text/javascript; charset=utf-8"},
    {".json",  "application/json"              },
    {".mjs",   "text/javascript; charset=utf-8"},
    {".png",   "image/png"                     },
    {".svg",   "image/svg+xml"                 },
    {".txt",   "text/plain; charset=utf-8"     },
    {".woff2", "font/woff2"                    },
};

const char *files_type(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < ARRAY_LEN(types); i++)
        if (strcmp(dot, types[i].suffix) == 0)
            return types[i].type;
    return NULL;
}

bool files_path_ok(const char *path)
{
    bool at_start = true;
    size_t len = strlen(path);
    if (len == 0 || len > 255)
        return false;
    for (const char *p = path; *p; p++) {
        if (*p < 0x21 || *p > 0x7E || *p == '\\')
            return false;
        if (at_start && (*p == '.' || *p == '/'))
            return false;
        at_start = *p == '/';
    }
    return !at_start;
}

static const struct embedded_file *find_embedded(const char *path)
{
    static const char root[] = "web/";
    for (const struct embedded_file *f = embedded_files; f->path; f++)
        if (strncmp(f->path, root, sizeof root - 1) == 0 &&
            strcmp(f->path + sizeof root - 1, path) == 0)
            return f;
    return NULL;
}

/* The configured folder, where this path is looked up in it. */
static const char *folder_of(const struct server *s, const char *path)
{
    static const char page[] = "docs/";
    bool own = strcmp(path, "openapi.json") == 0 || strcmp(path, "asyncapi.json") == 0 ||
               strncmp(path, page, sizeof page - 1) == 0;
    return own ? NULL : s->config->listen.web_root;
}

/* Opens path below the folder, segment by segment. -1: not there, or not a plain file. */
static int open_below(const char *folder, const char *path, off_t *size)
{
    char name[256];
    struct stat st;
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (at >= 0) {
        const char *slash = strchr(path, '/');
        size_t n = slash ? (size_t)(slash - path) : strlen(path);
        memcpy(name, path, n);
        name[n] = '\0';
        int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (slash ? O_DIRECTORY : 0);
        int next = openat(at, name, flags);
        close(at);
        at = next;
        if (!slash)
            break;
        path = slash + 1;
    }
    if (at < 0)
        return -1;
    if (fstat(at, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX) {
        close(at);
        return -1;
    }
    *size = st.st_size;
    return at;
}

bool files_exist(void *ctx, const char *path)
{
    off_t size;
    if (!files_path_ok(path) || !files_type(path))
        return false;
    const char *folder = folder_of(ctx, path);
    if (!folder)
        return find_embedded(path) != NULL;
    int fd = open_below(folder, path, &size);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

static int read_whole(int fd, off_t size, struct buf *out)
{
    while ((off_t)out->len < size) {
        char *to = buf_reserve(out, (size_t)size - out->len);
        if (!to)
            return -1;
        ssize_t n = read(fd, to, (size_t)size - out->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -1 : 0; /* it became shorter meanwhile */
        out->len += (size_t)n;
    }
    return 0;
}

/* Compressed where that is understood and shorter. */
static void lend(struct exchange *x, const struct embedded_file *f)
{
    bool packed = f->gzip && f->gzip_end - f->gzip < f->end - f->begin;
    if (packed)
        response_header(&x->response, "Vary", "Accept-Encoding");
    packed = packed && request_accepts_gzip(x->request->accept_encoding);
    if (packed)
        response_header(&x->response, "Content-Encoding", "gzip");
    x->response.borrowed = packed ? f->gzip : f->begin;
    x->response.borrowed_len = (size_t)(packed ? f->gzip_end - f->gzip : f->end - f->begin);
}

static bool load(struct exchange *x, const char *path)
{
    const char *folder = folder_of(x->server, path);
    if (!files_path_ok(path) || !files_type(path))
        return false;
    if (!folder) {
        const struct embedded_file *f = find_embedded(path);
        if (!f)
            return false;
        lend(x, f);
        return true;
    }
    off_t size;
    int fd = open_below(folder, path, &size);
    if (fd < 0)
        return false;
    int rc = read_whole(fd, size, &x->response.body);
    close(fd);
    return rc == 0;
}

static void serve(struct exchange *x, const char *path)
{
    if (!load(x, path)) {
        response_problem(&x->response, 404, "there is nothing at this path", NULL);
        return;
    }
    x->response.status = 200;
    x->response.type = files_type(path);
    response_header(&x->response, "Cache-Control", "no-cache");
    response_etag(&x->response, x->request->if_none_match);
}

void serve_index(struct exchange *x)
{
    serve(x, "index.html");
}

void serve_openapi(struct exchange *x)
{
    serve(x, "openapi.json");
}

void serve_asyncapi(struct exchange *x)
{
    serve(x, "asyncapi.json");
}

void serve_docs(struct exchange *x)
{
    serve(x, "docs/index.html");
}

/* The page's own links are relative, also to whatever a proxy has put before its path. */
void serve_docs_moved(struct exchange *x)
{
    x->response.status = 308;
    response_header(&x->response, "Location", "../docs");
}

void serve_file(struct exchange *x)
{
    serve(x, x->request->param);
}
