/* files.h - the web page: compiled in, or from the folder listen.web_root. */
#ifndef PRICEGATE_FILES_H
#define PRICEGATE_FILES_H

#include <stdbool.h>

/* path is relative to web/, without a leading slash: "app.js". ctx is the struct server. */
bool files_exist(void *ctx, const char *path);

/* Pure: "text/javascript; charset=utf-8" by the suffix; NULL for one that is not served. */
const char *files_type(const char *path);
/* Pure: no segment is empty or begins with a dot, no backslash, nothing unprintable. */
bool files_path_ok(const char *path);

#endif
