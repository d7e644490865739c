/* settings.h - from the command line to a configuration: which file, which environment.
 *
 * --config, else $PRICEGATE_CONFIG, else ./pricegate.json, else the one compiled in. Reads a file,
 * opens nothing else. */
#ifndef PRICEGATE_SETTINGS_H
#define PRICEGATE_SETTINGS_H

#include "config.h"
#include "options.h"

/* Where it came from, for messages: a path, or "built-in default" / "built-in demo". */
#define SETTINGS_ORIGIN_MAX 512

/* NULL with all problems, one line each. Unknown PRICEGATE_ variables are warnings. */
struct config *settings_read(const struct options *o, char origin[static SETTINGS_ORIGIN_MAX],
                             struct buf *problems, struct buf *warnings) MUST_CHECK;

/* The same, and prints them to stderr, each behind where it is from. */
struct config *settings_load(const struct options *o,
                             char origin[static SETTINGS_ORIGIN_MAX]) MUST_CHECK;

/* Each line of text to stderr: "pricegate: ORIGIN: LINE". */
void settings_print_lines(const char *origin, const struct buf *text);

/* "http://127.0.0.1:8080", "unix:/path" of a gateway configured so; caller frees. NULL: out of
 * memory. */
char *settings_url(const struct config *c);

/* "11 instruments and 4 observations", or the first half alone. Returns out. */
#define SETTINGS_SIZE_MAX 80
const char *settings_size(const struct config *c, char out[static SETTINGS_SIZE_MAX]);

#endif
