/* The whole picture is written with one call, lines overwrite what was there and clear their own
 * rest, so nothing flickers. A picture that is higher than the terminal is scrolled; the last line
 * then says where one is. */
#include "screen.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char ENTER[] = "\x1b[?1049h\x1b[?25l", LEAVE[] = "\x1b[?25h\x1b[?1049l";
enum { CTRL_C = 3 };

static void size_of(size_t *columns, size_t *rows)
{
    struct winsize w = {0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0;
    *columns = known && w.ws_col > 0 ? w.ws_col : 80;
    *rows = known && w.ws_row > 0 ? w.ws_row : 24;
}

size_t screen_columns(void)
{
    size_t columns, rows;
    if (!isatty(STDOUT_FILENO))
        return 0;
    size_of(&columns, &rows);
    return columns;
}

bool screen_wants_colour(void)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (!no || !*no) && term && strcmp(term, "dumb") != 0;
}

static void put(const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, p, len);
        if (n <= 0)
            return; /* nobody looks any more */
        p += n;
        len -= (size_t)n;
    }
}

/* --- keys and signals --- */

static const struct {
    const char *key;
    int lines; /* to scroll; in pages when the key is one of them */
    bool page;
} keys[] = {
    {"j",       1,        false},
    {"k",       -1,       false},
    {"\x1b[A",  -1,       false},
    {"\x1b[B",  1,        false},
    {" ",       1,        true },
    {"b",       -1,       true },
    {"\x1b[6~", 1,        true },
    {"\x1b[5~", -1,       true },
    {"g",       -1000000, false},
    {"G",       1000000,  false},
};

static void scroll(struct screen *s, int lines)
{
    size_t by = (size_t)(lines < 0 ? -lines : lines);
    s->top = lines > 0 ? s->top + by : s->top > by ? s->top - by : 0;
    s->redraw = true;
}

static void take_keys(struct screen *s, const char *p, size_t len)
{
    size_t columns, rows;
    size_of(&columns, &rows);
    while (len > 0) {
        size_t taken = 1;
        s->quit = s->quit || *p == 'q' || *p == CTRL_C;
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            size_t n = strlen(keys[i].key);
            if (n > len || memcmp(p, keys[i].key, n) != 0)
                continue;
            scroll(s, keys[i].lines * (keys[i].page ? (int)rows - 1 : 1));
            taken = n;
            break;
        }
        p += taken;
        len -= taken;
    }
}

static void make_room(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
    (void)h;
    (void)suggested;
    out->base = malloc(64);
    out->len = out->base ? 64 : 0;
}

static void on_input(uv_stream_t *in, ssize_t n, const uv_buf_t *bytes)
{
    struct screen *s = in->data;
    if (n > 0)
        take_keys(s, bytes->base, (size_t)n);
    else if (n < 0)
        s->quit = true; /* the terminal is gone */
    free(bytes->base);
}

static void on_resized(uv_signal_t *h, int signum)
{
    struct screen *s = h->data;
    (void)signum;
    s->redraw = true;
}

static void on_ended(uv_signal_t *h, int signum)
{
    struct screen *s = h->data;
    (void)signum;
    s->quit = true;
}

static void listen_to(struct screen *s, uv_loop_t *loop, uv_signal_t *h, uv_signal_cb cb,
                      int signum)
{
    uv_signal_init(loop, h);
    h->data = s;
    uv_signal_start(h, cb, signum);
}

/* --- life --- */

void screen_open(struct screen *s, uv_loop_t *loop)
{
    *s = (struct screen){.is_terminal = isatty(STDOUT_FILENO)};
    listen_to(s, loop, &s->resized, on_resized, SIGWINCH);
    listen_to(s, loop, &s->interrupted, on_ended, SIGINT);
    listen_to(s, loop, &s->terminated, on_ended, SIGTERM);
    if (!s->is_terminal)
        return;
    if (isatty(STDIN_FILENO) && uv_tty_init(loop, &s->in, STDIN_FILENO, 1) == 0) {
        s->has_keys = true;
        s->in.data = s;
        uv_tty_set_mode(&s->in, UV_TTY_MODE_RAW);
        uv_read_start((uv_stream_t *)&s->in, make_room, on_input);
    }
    put(ENTER, sizeof ENTER - 1);
}

void screen_close(struct screen *s)
{
    if (s->is_terminal)
        put(LEAVE, sizeof LEAVE - 1);
    if (s->has_keys) {
        uv_tty_reset_mode();
        uv_close((uv_handle_t *)&s->in, NULL);
    }
    uv_close((uv_handle_t *)&s->resized, NULL);
    uv_close((uv_handle_t *)&s->interrupted, NULL);
    uv_close((uv_handle_t *)&s->terminated, NULL);
}

/* --- drawing --- */

static size_t count_lines(const struct buf *text)
{
    size_t n = 0;
    for (size_t i = 0; i < text->len; i++)
        n += text->p[i] == '\n';
    return n;
}

/* Lines top.. of the text, each ending where the terminal's line ends; returns how many. */
static size_t add_lines(struct buf *out, const struct buf *text, size_t top, size_t most)
{
    size_t line = 0, added = 0;
    for (const char *p = text->p; p && *p && added < most; line++) {
        size_t len = strcspn(p, "\n");
        if (line >= top) {
            buf_add(out, p, len);
            buf_adds(out, "\x1b[K\n");
            added++;
        }
        p += len + (p[len] == '\n');
    }
    return added;
}

static void add_footer(struct buf *out, const struct screen *s, size_t shown, size_t lines)
{
    if (shown < lines)
        buf_addf(out, "lines %zu to %zu of %zu; ", s->top + 1, s->top + shown, lines);
    buf_adds(out, s->has_keys ? "q quits\x1b[K" : "\x1b[K");
}

void screen_draw(struct screen *s, const struct buf *text)
{
    struct buf out = {0};
    size_t columns, rows, lines = count_lines(text);
    s->redraw = false;
    if (!s->is_terminal) {
        put(text->p, text->len);
        return;
    }
    size_of(&columns, &rows);
    size_t most = rows > 1 ? rows - 1 : 1;
    if (s->top + most > lines)
        s->top = lines > most ? lines - most : 0;
    buf_adds(&out, "\x1b[H");
    size_t shown = add_lines(&out, text, s->top, most);
    add_footer(&out, s, shown, lines);
    buf_adds(&out, "\x1b[J");
    if (!out.failed)
        put(out.p, out.len);
    buf_fini(&out);
}
