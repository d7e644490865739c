/* put -> pending -> (a thread) room for them, write -> back on the loop: say what failed, go on.
 *
 * The thread owns `batch` and `why` while it is busy, the loop everything else. Plain blocking
 * calls there are simpler than a chain of asynchronous ones, and one thread of the pool is all that
 * a disk that hangs can take. A letter is written by one write() under a name that nobody has. */
#include "dead_letters.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_MAX 8 /* letters that wait for the disk */

const struct dead_letters_limits dead_letters_default = {1000, UINT64_C(16) << 20, 5};

struct letter {
    char name[DEAD_LETTER_NAME_MAX];
    struct buf text;
};

struct dead_letters {
    uv_loop_t *loop;
    uv_work_t work;
    const char *dir;
    uint64_t epoch_ms, number;
    struct dead_letters_limits limits;
    struct letter pending[BATCH_MAX], batch[BATCH_MAX];
    size_t pending_len, batch_len;
    bool busy, failing;
    struct err why;     /* of the batch; "" = written */
    int64_t second_ms;  /* monotonic: when the present second began */
    unsigned in_second; /* letters taken in it */
    unsigned left_out;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct dead_letters *dead_letters_new(uv_loop_t *loop, const char *dir, uint64_t epoch_ms,
                                      const struct dead_letters_limits *limits)
{
    struct dead_letters *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->loop = loop;
    b->dir = dir;
    b->epoch_ms = epoch_ms;
    b->limits = *limits;
    b->work.data = b;
    return b;
}

/* --- in the thread --- */

struct found {
    char *name;
    uint64_t bytes;
};

struct listing {
    struct found *files;
    size_t len, cap;
    uint64_t bytes;
};

static int failed(struct err *err, const char *what)
{
    char text[128];
    return err_set(err, "%s: %s", what, strerror_r(errno, text, sizeof text));
}

static int by_name(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int add_found(struct listing *l, const char *name, uint64_t bytes)
{
    if (l->len == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct found *files = realloc(l->files, cap * sizeof *files);
        if (!files)
            return -1;
        l->files = files;
        l->cap = cap;
    }
    struct found *f = &l->files[l->len];
    f->bytes = bytes;
    f->name = strdup(name);
    if (!f->name)
        return -1;
    l->len++;
    l->bytes += bytes;
    return 0;
}

/* The letters that are there, the oldest first. */
static int list(struct listing *l, int folder, DIR *d)
{
    const struct dirent *e;
    struct stat st;
    while ((e = readdir(d))) {
        if (!dead_letter_is_name(e->d_name) ||
            fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (add_found(l, e->d_name, (uint64_t)st.st_size) != 0)
            return -1;
    }
    if (l->len > 0)
        qsort(l->files, l->len, sizeof *l->files, by_name);
    return 0;
}

static int remove_oldest(struct dead_letters *b, int folder, const struct listing *l)
{
    uint64_t bytes = l->bytes;
    size_t files = l->len + b->batch_len;
    for (size_t i = 0; i < b->batch_len; i++)
        bytes += b->batch[i].text.len;
    for (size_t i = 0; i < l->len && (files > b->limits.files || bytes > b->limits.bytes); i++) {
        if (unlinkat(folder, l->files[i].name, 0) != 0 && errno != ENOENT)
            return failed(&b->why, "removing the oldest");
        files--;
        bytes -= l->files[i].bytes;
    }
    return 0;
}

static int make_room(struct dead_letters *b, int folder)
{
    struct listing l = {0};
    int rc = -1, copy = dup(folder);
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    if (!d) {
        failed(&b->why, "listing");
        if (copy >= 0)
            close(copy);
        return -1;
    }
    if (list(&l, folder, d) != 0)
        err_set(&b->why, "out of memory");
    else
        rc = remove_oldest(b, folder, &l);
    for (size_t i = 0; i < l.len; i++)
        free(l.files[i].name);
    free(l.files);
    closedir(d);
    return rc;
}

static int write_letter(struct dead_letters *b, int folder, const struct letter *letter)
{
    int fd = openat(folder, letter->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    S_IRUSR | S_IWUSR | S_IRGRP);
    if (fd < 0)
        return failed(&b->why, "opening");
    ssize_t n = write(fd, letter->text.p, letter->text.len);
    if (n < 0)
        failed(&b->why, "writing");
    else if ((size_t)n < letter->text.len)
        err_set(&b->why, "writing: cut short");
    if (close(fd) != 0 && n >= 0)
        n = failed(&b->why, "closing");
    if (n >= 0 && (size_t)n == letter->text.len)
        return 0;
    unlinkat(folder, letter->name, 0); /* half a letter helps nobody */
    return -1;
}

static void write_batch(uv_work_t *work)
{
    struct dead_letters *b = work->data;
    b->why.text[0] = '\0';
    if (mkdir(b->dir, S_IRWXU | S_IRGRP | S_IXGRP) != 0 && errno != EEXIST) {
        failed(&b->why, "making the folder");
        return;
    }
    int folder = open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        failed(&b->why, "opening the folder");
        return;
    }
    int rc = make_room(b, folder);
    for (size_t i = 0; rc == 0 && i < b->batch_len; i++)
        rc = write_letter(b, folder, &b->batch[i]);
    close(folder);
}

/* --- on the loop --- */

static void on_written(uv_work_t *work, int status);

static void free_letters(struct letter *letters, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_fini(&letters[i].text);
}

/* Hands what is pending to a thread. */
static void send_batch(struct dead_letters *b)
{
    if (b->busy || b->pending_len == 0)
        return;
    memcpy(b->batch, b->pending, sizeof b->batch);
    b->batch_len = b->pending_len;
    memset(b->pending, 0, sizeof b->pending);
    b->pending_len = 0;
    b->busy = uv_queue_work(b->loop, &b->work, write_batch, on_written) == 0;
    if (!b->busy)
        free_letters(b->batch, b->batch_len);
}

static void end(struct dead_letters *b)
{
    void (*closed)(void *ctx) = b->closed;
    void *ctx = b->closed_ctx;
    free_letters(b->pending, b->pending_len);
    free(b);
    if (closed)
        closed(ctx);
}

static void on_written(uv_work_t *work, int status)
{
    struct dead_letters *b = work->data;
    bool bad = status != 0 || b->why.text[0];
    free_letters(b->batch, b->batch_len);
    b->busy = false;
    if (bad && !b->failing)
        log_event(
            LOG_WARN, "dead_letter_failed", "folder=%s why=%s advice=%s", b->dir, b->why.text,
            "see that the disk has room, and that the user that runs pricegate may write there");
    b->failing = bad;
    send_batch(b);
    if (b->closing && !b->busy)
        end(b);
}

static bool too_fast(struct dead_letters *b, int64_t mono_ms)
{
    if (mono_ms - b->second_ms >= 1000) {
        b->second_ms = mono_ms;
        b->in_second = 0;
    }
    return b->in_second == b->limits.per_s || b->pending_len == BATCH_MAX;
}

void dead_letters_put(struct dead_letters *b, const struct dead_letter *d, int64_t mono_ms)
{
    if (!b || b->closing)
        return;
    if (too_fast(b, mono_ms)) {
        b->left_out++;
        return;
    }
    struct dead_letter letter = *d;
    struct letter *l = &b->pending[b->pending_len];
    letter.left_out = b->left_out;
    dead_letter_name(d->wall_ms, b->epoch_ms, ++b->number, l->name);
    dead_letter_encode(&letter, &l->text);
    if (l->text.failed) {
        buf_fini(&l->text);
        return;
    }
    b->in_second++;
    b->left_out = 0;
    b->pending_len++;
    send_batch(b);
}

void dead_letters_close(struct dead_letters *b, void (*done)(void *ctx), void *ctx)
{
    b->closing = true;
    b->closed = done;
    b->closed_ctx = ctx;
    if (!b->busy)
        end(b);
}
