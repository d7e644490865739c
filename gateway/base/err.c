#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int err_set(struct err *err, const char *fmt, ...)
{
    if (!err)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return -1;
}

const char *err_file_advice(int failure)
{
    switch (failure) {
    case EACCES:
    case EPERM:
        return "let the user that runs pricegate read it";
    case ENOENT:
        return "put it there, or correct the path";
    case EISDIR:
        return "name the file in that folder";
    case ENOTDIR:
        return "correct the path, of which a part is no folder";
    default:
        return "see that it can be read";
    }
}

int err_set_file(struct err *err, const char *setting, const char *file, int failure)
{
    return err_set(err, "%s: %s: %s: %s", setting, file, strerror(failure),
                   err_file_advice(failure));
}
