/* jansson 2.14 does not look whether the buffer of its lexer could grow: without memory a byte of
 * the text is left out, so that a price loses a digit or a name a letter; or the end of a string is
 * not found, and it reads and writes beyond its own blocks, or ends the process by an assertion.
 * (Seen with every allocation failing once, tests/support/scarce.h.) What comes behind the lexer
 * does check.
 *
 * So while it parses, its memory comes from here. A block that cannot be had ends the parse there
 * and then, by a jump over jansson's functions, which hold nothing but blocks: those allocated
 * since are known and are freed. When the parse is over, the blocks left are those of the value;
 * they are jansson's own, as if nobody had been in between.
 *
 * Nearly all that is freed while parsing was allocated just before, and is found at once. But of a
 * text that is broken at its end all that was understood is freed, from its beginning on: to search
 * for each of these blocks would take a second for a reply of 256 KB. So what is not among the last
 * few stays until the parse is over, in a list of its own that runs through the blocks.
 *
 * jansson hands its functions no context: hence a variable of the file, set only during the call.
 */
#include "json_guard.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BLOCKS = 256, /* more than a price or a command has */
    LAST_FEW = 16,
};

struct guard {
    json_malloc_t get;
    json_free_t give;
    jmp_buf out;
    void **blocks; /* allocated since, and not freed */
    size_t len, cap;
    void *later; /* of them, what jansson has done with; each begins with where the next one is */
    void *first[FIRST_BLOCKS];
};

static struct guard *guard; /* NULL: nothing is parsed */

static bool has_room(struct guard *g)
{
    if (g->len < g->cap)
        return true;
    void **blocks = malloc(2 * g->cap * sizeof *blocks);
    if (!blocks)
        return false;
    memcpy(blocks, g->blocks, g->len * sizeof *blocks);
    if (g->blocks != g->first)
        free(g->blocks);
    g->blocks = blocks;
    g->cap *= 2;
    return true;
}

static void *guarded_get(size_t size)
{
    struct guard *g = guard;
    void *p = has_room(g) ? g->get(size > sizeof g->later ? size : sizeof g->later) : NULL;
    if (!p)
        longjmp(g->out, 1);
    g->blocks[g->len++] = p;
    return p;
}

static void guarded_give(void *p)
{
    struct guard *g = guard;
    size_t least = g->len > LAST_FEW ? g->len - LAST_FEW : 0;
    for (size_t i = g->len; i > least; i--)
        if (g->blocks[i - 1] == p) {
            g->blocks[i - 1] = g->blocks[--g->len];
            g->give(p);
            return;
        }
    *(void **)p = g->later;
    g->later = p;
}

static void give_later_ones(struct guard *g)
{
    while (g->later) {
        void *p = g->later;
        g->later = *(void **)p;
        g->give(p);
    }
}

static bool run_guarded(struct guard *g, void (*run)(void *ctx), void *ctx)
{
    if (setjmp(g->out) == 0) {
        run(ctx);
        give_later_ones(g);
        return true;
    }
    while (g->len > 0)
        g->give(g->blocks[--g->len]);
    return false;
}

bool json_guard_run(void (*run)(void *ctx), void *ctx)
{
    struct guard g = {.cap = FIRST_BLOCKS};
    REQUIRE(!guard);
    g.blocks = g.first;
    json_get_alloc_funcs(&g.get, &g.give);
    json_set_alloc_funcs(guarded_get, guarded_give);
    guard = &g;
    bool done = run_guarded(&g, run, ctx);
    guard = NULL;
    json_set_alloc_funcs(g.get, g.give);
    if (g.blocks != g.first)
        free(g.blocks);
    return done;
}

struct load {
    const char *text;
    size_t len, flags;
    json_error_t *why;
    json_t *root;
};

static void load(void *ctx)
{
    struct load *l = ctx;
    l->root = json_loadb(l->text, l->len, l->flags, l->why);
}

json_t *json_guard_load(const char *text, size_t len, size_t flags, json_error_t *why)
{
    struct load l = {.text = text, .len = len, .flags = flags, .why = why};
    if (json_guard_run(load, &l))
        return l.root;
    *why = (json_error_t){.line = -1, .column = -1};
    memcpy(why->text, JSON_NO_MEMORY, sizeof JSON_NO_MEMORY);
    return NULL;
}
