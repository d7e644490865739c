/* state.h - the insides of struct fanout, for the files of this folder that need more than one
 * part of it. book, view, frame, wheel, protocol and bits know nothing of it. */
#ifndef PRICEGATE_FANOUT_STATE_H
#define PRICEGATE_FANOUT_STATE_H

#include "bits.h"
#include "book.h"
#include "buf.h"
#include "compression.h"
#include "event.h"
#include "fanout.h"
#include "fields.h"
#include "log.h"
#include "pace.h"
#include "view.h"
#include "wheel.h"

#define NS_PER_MS INT64_C(1000000)

struct fanout {
    const struct config *config;
    struct metrics *metrics;
    struct fanout_ports ports;

    struct book book;
    struct views views;
    struct field_sets field_sets;
    struct compressor *compressor; /* NULL unless configured */
    struct pace_heap paces;        /* every pace that has begun */
    struct client *due_clients;    /* between pace_collect() and pace_finish() */
    struct wheel wheel;            /* every client that is not closing */
    struct client *clients;        /* all, closing ones too, until they are freed */
    size_t clients_len;
    uint64_t random; /* state of fanout_random() */
    int64_t mono_ns; /* the latest time that came in, for what comes without one */
    struct log_limit left_limit;

    /* Scratch, valid only inside one function. */
    struct buf frames; /* bytes on their way to a sink */
    struct buf text;   /* one control message */
    struct bits quotes, statuses, rest, rest_statuses, due;
    struct events events;
};

/* For the frames of this encoding; NULL: they are not compressed. */
static inline struct compressor *fanout_compressor(const struct fanout *f, enum encoding encoding)
{
    return encoding == ENCODING_COMPRESSED_FRAMES ? f->compressor : NULL;
}

/* For sessions and to spread things in time; not for secrets. */
uint64_t fanout_random(struct fanout *f);

#endif
