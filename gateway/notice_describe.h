/* notice_describe.h - a matter in words, for notice_text.h. Reads, and changes nothing. */
#ifndef PRICEGATE_NOTICE_DESCRIBE_H
#define PRICEGATE_NOTICE_DESCRIBE_H

#include "notice_text.h"
#include "notice_watch.h"

struct notice_telling {
    const struct notice_watch *watch;
    const struct notice_scene *scene;
};
/* A notice_describe; ctx: a notice_telling. */
void notice_describe_matter(void *ctx, const struct notice *x, struct notice_facts *out);

#endif
