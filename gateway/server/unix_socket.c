/* A socket's file outlives its process, so that one finds a file there and does not know whether
 * anybody is behind it. Asked is the kernel: a connection that is refused is a dead one's, and its
 * file goes. Between that question and our own bind() another process may do the same, and one of
 * them would remove the other's living socket; so both hold the folder's lock meanwhile, which
 * leaves no file behind. A file that is no socket is somebody's, and stays.
 *
 * The mode is given at the file's birth, by the umask: with a chmod() after it there would be a
 * moment in which anybody might connect. */
#include "unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const mode_t NOT_0660 = 0117;
/* Whoever holds the folder's lock needs it for a moment; several may be started at once. */
enum { LOCK_TRIES = 50 };
static const struct timespec LOCK_PAUSE = {.tv_nsec = 20000000};

enum found { FOUND_NOTHING, FOUND_DEAD, FOUND_ALIVE, FOUND_NO_SOCKET, FOUND_UNKNOWN };

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, path, strlen(path) + 1);
    return to;
}

/* Who is behind it; errno says why that is unknown. */
static enum found look(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? FOUND_NOTHING : FOUND_UNKNOWN;
    if (!S_ISSOCK(st.st_mode))
        return FOUND_NO_SOCKET;
    int fd = new_socket();
    if (fd < 0)
        return FOUND_UNKNOWN;
    const struct sockaddr_un to = address_of(path);
    int failure = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
    close(fd);
    errno = failure;
    if (failure == ECONNREFUSED)
        return FOUND_DEAD;
    return failure == 0 || failure == EAGAIN ? FOUND_ALIVE : FOUND_UNKNOWN;
}

static int make_room(const char *path, bool only_try, struct err *err)
{
    switch (look(path)) {
    case FOUND_NOTHING:
        return 0;
    case FOUND_DEAD:
        if (only_try || unlink(path) == 0)
            return 0;
        break;
    case FOUND_ALIVE:
        return err_set(err, "unix:%s: address in use: another process listens there", path);
    case FOUND_NO_SOCKET:
        return err_set(err,
                       "unix:%s: there is a file that is no socket: remove it, or change "
                       "listen.host",
                       path);
    case FOUND_UNKNOWN:
        break;
    }
    return err_set(err, "unix:%s: what is there cannot be replaced: %s", path, strerror(errno));
}

static int bind_and_listen(int fd, const char *path, int backlog)
{
    const struct sockaddr_un to = address_of(path);
    mode_t before = umask(NOT_0660);
    int rc = bind(fd, (const struct sockaddr *)&to, sizeof to);
    int failure = errno;
    umask(before);
    errno = failure;
    return rc == 0 ? listen(fd, backlog) : -1;
}

/* 0, or why not (errno). */
static int take_lock(int fd)
{
    int failure = EWOULDBLOCK;
    for (int i = 0; i < LOCK_TRIES && failure == EWOULDBLOCK; i++) {
        if (i > 0)
            (void)nanosleep(&LOCK_PAUSE, NULL);
        failure = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    }
    return failure;
}

/* Its path without the last part, opened and locked. -1 with a sentence. */
static int lock_folder(const char *path, struct err *err)
{
    char folder[LISTEN_PATH_MAX + 1];
    size_t len = (size_t)(strrchr(path, '/') - path);
    memcpy(folder, path, len);
    memcpy(folder + len, len > 0 ? "" : "/", len > 0 ? 1 : 2);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(
            err, "unix:%s: the folder %s cannot be opened: %s: %s", path, folder, strerror(errno),
            errno == ENOENT ? "make it (RuntimeDirectory= in the unit), or change listen.host"
                            : "change its rights, or listen.host");
    int failure = take_lock(fd);
    if (failure == 0)
        return fd;
    close(fd);
    if (failure != EWOULDBLOCK)
        return err_set(err, "unix:%s: the folder %s cannot be locked: %s", path, folder,
                       strerror(failure));
    return err_set(err, "unix:%s: another process is just making a socket in %s", path, folder);
}

static int cannot_make(const char *path, int failure, struct err *err)
{
    return err_set(err, "unix:%s: %s: %s, or change listen.host", path, strerror(failure),
                   failure == EROFS
                       ? "choose a folder that may be written to (RuntimeDirectory= in the unit)"
                       : "let the user that runs pricegate write to that folder");
}

int unix_socket_try(const char *path, struct err *err)
{
    int lock = lock_folder(path, err);
    if (lock < 0)
        return -1;
    int rc = make_room(path, true, err);
    if (rc == 0 && faccessat(lock, ".", W_OK | X_OK, AT_EACCESS) != 0)
        rc = cannot_make(path, errno, err);
    close(lock);
    return rc;
}

int unix_socket_open(struct unix_socket *u, const char *path, int backlog, struct err *err)
{
    struct stat st;
    int fd = -1, lock = lock_folder(path, err);
    if (lock < 0 || make_room(path, false, err) != 0)
        goto out;
    fd = new_socket();
    if (fd >= 0 && bind_and_listen(fd, path, backlog) == 0 && lstat(path, &st) == 0) {
        memcpy(u->path, path, strlen(path) + 1);
        u->device = st.st_dev;
        u->inode = st.st_ino;
        goto out;
    }
    cannot_make(path, errno, err);
    if (fd >= 0)
        close(fd);
    fd = -1;
out:
    if (lock >= 0)
        close(lock);
    return fd;
}

void unix_socket_remove(struct unix_socket *u)
{
    struct stat st;
    if (u->path[0] && lstat(u->path, &st) == 0 && st.st_dev == u->device && st.st_ino == u->inode)
        unlink(u->path);
    u->path[0] = '\0';
}
