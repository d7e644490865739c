/* metrics.h - the counters of PROTOCOL 7 and their Prometheus text.
 *
 * Plain numbers in one struct, incremented in place (m->deliveries++); families with labels hold
 * their rows in small growing tables. Help texts and types stand once, in the lists below. Loop
 * thread only; rendering reads, never resets. */
#ifndef PRICEGATE_METRICS_H
#define PRICEGATE_METRICS_H

#include <stdint.h>

#include "buf.h"

/* X(field, type, exported name, help) */
#define METRICS_PLAIN(X)                                                                           \
    X(connections, gauge, "pricegate_connections", "open WebSockets and event streams")            \
    X(subscriptions, gauge, "pricegate_subscriptions", "subscribed symbols, summed over clients")  \
    X(deliveries, counter, "pricegate_deliveries_total", "items handed to client sockets")         \
    X(frames, counter, "pricegate_frames_total", "frames handed to client sockets")                \
    X(bus_up, gauge, "pricegate_bus_up", "1 while the bus can be reached")                         \
    X(bus_invalid, counter, "pricegate_bus_invalid_total",                                         \
      "messages from the bus that were dropped")                                                   \
    X(bus_dropped, counter, "pricegate_bus_dropped_total",                                         \
      "what could not leave for Redis when it came")                                               \
    X(bus_refused, counter, "pricegate_bus_refused_total", "commands that Redis refused")          \
    X(bus_reconnects, counter, "pricegate_bus_reconnects_total", "times that Redis came back")     \
    X(clock_set, counter, "pricegate_clock_set_total",                                             \
      "times that the system's clock was set by a second or more")                                 \
    X(notifications_held, counter, "pricegate_notifications_held_back_total",                      \
      "changes that could not be told at once because notifications.every_s had not passed")       \
    X(log_lines_lost, counter, "pricegate_log_lines_lost_total",                                   \
      "log lines that could not be written")                                                       \
    X(loop_timers, gauge, "pricegate_loop_timers", "timers of the event loop, running or not")     \
    X(certificate_ends_s, gauge, "pricegate_certificate_expires_timestamp_seconds",                \
      "when the served certificate ends; 0 without TLS")                                           \
    X(records, counter, "pipeline_ingestion_records_total", "records that providers delivered")    \
    X(errors, counter, "pipeline_ingestion_errors_total", "answers that were failures")

/* X(id, type, exported name, label name, second label name or NULL, help) */
#define METRICS_LABELLED(X)                                                                        \
    X(QUOTES_RECEIVED, counter, "pricegate_quotes_received_total", "source", NULL,                 \
      "items that arrived on the bus")                                                             \
    X(CONFLATED, counter, "pricegate_conflated_total", "cause", NULL,                              \
      "updates merged into a newer one before they were sent")                                     \
    X(DISCONNECTS, counter, "pricegate_disconnects_total", "reason", NULL, "clients gone")         \
    X(REJECTED, counter, "pricegate_rejected_total", "reason", NULL,                               \
      "requests and messages refused")                                                             \
    X(ACCEPT_PAUSES, counter, "pricegate_accept_pauses_total", "reason", NULL,                     \
      "times that accepting paused; reason is files or rate")                                      \
    X(PROVIDER_REQUESTS, counter, "pricegate_provider_requests_total", "provider", "result",       \
      "requests to providers; result is ok or a failure name")                                     \
    X(CREDITS_LEFT, gauge, "pricegate_provider_credits_left", "provider", NULL,                    \
      "credits left in the tightest window")                                                       \
    X(WINDOW_LEFT, gauge, "pricegate_provider_window_credits_left", "provider", "window",          \
      "credits left of this minute, hour or day, where it has a limit")                            \
    X(WINDOW_LIMIT, gauge, "pricegate_provider_window_credits_limit", "provider", "window",        \
      "credits that a minute, an hour or a day has")                                               \
    X(PROVIDER_IN_USE, gauge, "pricegate_provider_in_use", "provider", NULL,                       \
      "1 where some instrument has it among its sources")                                          \
    X(BREAKER, gauge, "pricegate_breaker_state", "provider", NULL,                                 \
      "0 closed, 1 half-open, 2 open, 3 disabled")                                                 \
    X(QUOTE_AGE, gauge, "pricegate_quote_age_seconds", "symbol", NULL, "now - recv")               \
    X(QUOTE_STATE, gauge, "pricegate_quote_state", "symbol", NULL,                                 \
      "0 live, 1 delayed, 2 stale, 3 closed, 4 unavailable")                                       \
    X(MARKET_STATE, gauge, "pricegate_market_state", "symbol", NULL,                               \
      "0 unknown, 1 open, 2 closed, 3 pre, 4 post")                                                \
    X(JOB_RUNS, counter, "pricegate_job_runs_total", "name", "result",                             \
      "runs of a job; result is success, partial or failed")                                       \
    X(JOB_DURATION, gauge, "pricegate_job_duration_seconds", "name", NULL,                         \
      "how long its last run took")                                                                \
    X(NOTIFICATIONS, counter, "pricegate_notifications_total", "channel", "result",                \
      "messages to people; result is sent, failed (a try that did not work) or dropped")           \
    X(QUALITY, counter, "pipeline_data_quality_checks_total", "rule", "result",                    \
      "quality rules applied; result is pass or fail")

/* X(field, exported name, help); seconds, buckets 0.1 ms .. 30 s */
#define METRICS_HISTOGRAMS(X)                                                                      \
    X(provider_latency, "pricegate_provider_latency_seconds", "request to answer")                 \
    X(arrival_to_write, "pricegate_arrival_to_write_seconds",                                      \
      "arrival in this process to the socket write")                                               \
    X(loop_busy, "pricegate_loop_busy_seconds", "a turn of the event loop, waiting aside")         \
    X(ingestion, "pipeline_ingestion_duration_seconds", "one poll, all its sources")

enum metric_family {
#define X(id, type, name, label, label2, help) METRIC_##id,
    METRICS_LABELLED(X)
#undef X
        METRIC_FAMILIES
};

#define HISTOGRAM_BUCKETS 16

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS + 1]; /* the last one is +Inf */
    uint64_t count;
    double sum_s;
};

struct metric_row {
    char *label, *label2; /* label2 NULL where the family has one label */
    double value;
};

struct metrics {
#define X(field, type, name, help) uint64_t field;
    METRICS_PLAIN(X)
#undef X
#define X(field, name, help) struct histogram field;
    METRICS_HISTOGRAMS(X)
#undef X
    struct {
        struct metric_row *rows;
        size_t len, cap;
        size_t next; /* behind the row that was looked for last */
    } families[METRIC_FAMILIES];
    int64_t started_ms; /* wall: of metrics_init() */
};

/* Makes the rows whose labels are known beforehand, so that they can be seen while still 0. */
void metrics_init(struct metrics *m);
void metrics_fini(struct metrics *m);

/* Find-or-make the row; label2 NULL where the family has one label. On out of memory the update
 * is lost. A family has at most 4096 rows; further labels are lost. */
void metrics_add(struct metrics *m, enum metric_family f, const char *label, const char *label2,
                 double delta);
void metrics_set(struct metrics *m, enum metric_family f, const char *label, const char *label2,
                 double value);
/* There is nothing with this (first) label any more: its rows go. */
void metrics_forget(struct metrics *m, enum metric_family f, const char *label);
double metrics_get(const struct metrics *m, enum metric_family f, const char *label,
                   const char *label2); /* 0 when there is no such row */

void histogram_observe(struct histogram *h, double seconds);

/* Prometheus text exposition of everything, process_* of this process included. */
void metrics_render(const struct metrics *m, struct buf *out);

#endif
