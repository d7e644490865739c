#include "wheel.h"

void wheel_put(struct wheel *w, struct wheel_entry *e, int64_t now_ns, int64_t due_ns)
{
    wheel_remove(w, e);
    if (w->used == 0 && now_ns / WHEEL_TICK_NS > w->tick)
        w->tick = now_ns / WHEEL_TICK_NS;
    int64_t tick = (due_ns + WHEEL_TICK_NS - 1) / WHEEL_TICK_NS;
    if (tick <= w->tick)
        tick = w->tick + 1;
    if (tick > w->tick + WHEEL_SLOTS - 1)
        tick = w->tick + WHEEL_SLOTS - 1;
    struct wheel_entry **head = &w->slots[tick % WHEEL_SLOTS];
    e->next = *head;
    e->prev = head;
    if (*head)
        (*head)->prev = &e->next;
    *head = e;
    w->used++;
}

void wheel_remove(struct wheel *w, struct wheel_entry *e)
{
    if (!e->prev)
        return;
    *e->prev = e->next;
    if (e->next)
        e->next->prev = e->prev;
    e->next = NULL;
    e->prev = NULL;
    w->used--;
}

struct wheel_entry *wheel_next(struct wheel *w, int64_t now_ns)
{
    int64_t target = now_ns / WHEEL_TICK_NS;
    while (w->used > 0) {
        struct wheel_entry *e = w->slots[w->tick % WHEEL_SLOTS];
        if (e) {
            wheel_remove(w, e);
            return e;
        }
        if (w->tick >= target)
            return NULL;
        w->tick++;
    }
    return NULL;
}
