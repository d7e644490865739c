/* screen.h - a terminal that is redrawn in place: the alternate screen, keys, its size.
 *
 * Whatever ends the program by way of screen_close(), the terminal is as it was. Where stdout is no
 * terminal there is no screen: text is simply printed, one picture below the other. Loop thread. */
#ifndef PRICEGATE_SCREEN_H
#define PRICEGATE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "buf.h"

struct screen {
    uv_tty_t in;
    uv_signal_t resized, interrupted, terminated;
    bool is_terminal, has_keys;
    bool quit;   /* q, Ctrl-C, SIGINT or SIGTERM came */
    bool redraw; /* the size changed, or the user scrolled */
    size_t top;  /* the first line that is shown */
    size_t handles;
};

/* Columns of the terminal behind stdout; 0 = it is none. */
size_t screen_columns(void);
/* Stdout is a terminal that knows colours, and NO_COLOR is not set. */
bool screen_wants_colour(void);

void screen_open(struct screen *s, uv_loop_t *loop);
/* Shows the text (lines with '\n'), from line `top` on, as much as fits. */
void screen_draw(struct screen *s, const struct buf *text);
/* Restores the terminal. The handles are closed by further turns of the loop. */
void screen_close(struct screen *s);

#endif
