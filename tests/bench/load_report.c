#include "load_report.h"

#include <stdio.h>

static void print_latency(const struct latency *l)
{
    printf("\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f",
           latency_quantile_ms(l, 0.5), latency_quantile_ms(l, 0.99), latency_quantile_ms(l, 0.999),
           (double)l->max_ns / 1e6);
}

static double part(double whole, double by)
{
    return by > 0 ? whole / by : 0;
}

static void print_count(const struct load_report *r, const struct load_tally *t)
{
    printf("\"seconds\":%.3f,\"items\":%llu,\"items_per_s\":%.0f,\"frames\":%llu,"
           "\"frames_per_s\":%.0f,\"bytes\":%llu,\"compressed_frames\":%llu,\"snapshot_items\":%"
           "llu,\"missing\":%lld,"
           "\"silent\":%llu,",
           r->seconds, (unsigned long long)t->items, part((double)t->items, r->seconds),
           (unsigned long long)t->frames, part((double)t->frames, r->seconds),
           (unsigned long long)t->bytes, (unsigned long long)t->compressed,
           (unsigned long long)t->snapshot_items, (long long)r->missing,
           (unsigned long long)r->silent);
    print_latency(&t->latency);
}

static void print_cpu(const struct load_report *r, const struct load_tally *t)
{
    struct process_use u;
    process_since(&u, &r->start, &r->end);
    printf(",\"cpu_s\":%.4f,\"cpu_percent\":%.2f,\"wait_percent\":%.2f,\"cpu_user_s\":%.2f,\"cpu_"
           "system_s\":%.2f,"
           "\"cpu_us_per_item\":%.4f,\"cpu_us_per_frame\":%.4f,\"load_cpu_percent\":%.1f,"
           "\"threads\":[",
           u.cpu_s, part(100 * u.cpu_s, r->seconds), part(100 * u.wait_s, r->seconds), u.user_s,
           u.system_s, part(u.cpu_s * 1e6, (double)t->items),
           part(u.cpu_s * 1e6, (double)t->frames), part(100 * r->load_cpu_s, r->seconds));
    for (int i = 0, n = 0; i < u.threads_len; i++)
        if (u.threads[i].cpu_s >= 0.001)
            printf("%s{\"name\":\"%s\",\"cpu_s\":%.3f}", n++ > 0 ? "," : "", u.threads[i].name,
                   u.threads[i].cpu_s);
    printf("]");
}

static void print_opening(const struct load *l, const struct load_report *r)
{
    struct process_use u;
    process_since(&u, &r->before, &r->opened);
    printf("\"clients\":%d,\"ready\":%d,\"lost\":%llu,\"refused\":%llu,\"open_s\":%.3f,"
           "\"open_cpu_us_per_client\":%.1f,\"rss_kb_before\":%ld,\"rss_kb_opened\":%ld,"
           "\"rss_bytes_per_client\":%.0f,\"rss_kb_end\":%ld,\"rss_kb_peak\":%ld,",
           l->o.clients, l->ready, (unsigned long long)l->lost, (unsigned long long)l->refused,
           r->open_s, part(u.cpu_s * 1e6, l->o.clients), r->before.rss_kb, r->opened.rss_kb,
           part((double)(r->opened.rss_kb - r->before.rss_kb) * 1024, l->o.clients), r->end.rss_kb,
           r->end.peak_kb);
}

void load_report_print(const struct load *l, const struct load_report *r,
                       const struct load_tally *count, const struct load_tally *storm)
{
    printf("{");
    print_opening(l, r);
    print_count(r, count);
    print_cpu(r, count);
    if (r->storm_s >= 0) {
        struct process_use u;
        process_since(&u, &r->end, &r->storm_end);
        printf(",\"storm\":{\"clients\":%d,\"seconds\":%.3f,\"cpu_s\":%.3f,\"rss_kb_end\":%ld,",
               l->o.storm, r->storm_s, u.cpu_s, r->storm_end.rss_kb);
        print_latency(&storm->latency);
        printf("}");
    }
    printf("}\n");
}
