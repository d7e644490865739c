/* named_files.h - are the files and folders that a configuration names as they have to be?
 *
 * What `check` looks at before a start does, what the doctor tells, and what a start that goes on
 * all the same says in the log. Reads files and folders, changes none. */
#ifndef PRICEGATE_NAMED_FILES_H
#define PRICEGATE_NAMED_FILES_H

#include <stdint.h>

#include "config.h"

enum named_files_kind {
    NAMED_STOPS,  /* nothing starts with it, nothing is reloaded */
    NAMED_SPOILS, /* it starts, without what the file is for */
    NAMED_NOTE,   /* it works, but not for long */
};

/* sentence: "listen.tls.key: FILE: why"; advice: what to do, NULL where the sentence says it. */
typedef void named_files_tell(void *ctx, enum named_files_kind kind, const char *setting,
                              const char *sentence, const char *advice);

/* tell is called for whatever is not as it should be, and not at all when everything is. */
void named_files_check(const struct config *c, int64_t wall_ms, named_files_tell *tell, void *ctx);

/* What does not stop a start, as event=file_warning. */
void named_files_log(const struct config *c, int64_t wall_ms);

#endif
