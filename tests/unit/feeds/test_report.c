/* What a language model writes, and what of it is taken over. */
#include "report.h"

#include "reply_case.h"
#include "utf8.h"

/* 2026-03-16 10:00 UTC */
static const int64_t NOW_MS = 1773655200000;

#define REPORT(figures, period, as_of, outlook)                                                    \
    "{" figures "\"period\":\"" period "\",\"as_of\":\"" as_of "\",\"outlook\":\"" outlook "\"}"
#define FINE(figures) REPORT(figures, "2025", "2026-03-01", "Good.")
#define WORDS         "text=Good. (as of 2026-03-01)"

struct report_case {
    const char *what, *topic, *text;
    const char *want; /* as reply_case.h describes an observation; or the failure's name */
};

/* clang-format off */
static const struct report_case cases[] = {
    {"all of it", "cajamarca",
     REPORT("\"production_t\":78000,\"area_ha\":90000.0,\"yield_kg_ha\":867,"
            "\"harvest_progress_pct\":12.5,\"production_change_pct\":-4,", "2025/26", "2026-03-01",
            "Rain.[1] More rain. [12][3]"),
     " | period=2025/26 production_t=78000 t area_ha=90000 ha yield_kg_ha=867 kg/ha "
     "harvest_progress_pct=12.5 % production_change_pct=-4 % text=Rain. More rain. "
     "(as of 2026-03-01)"},
    {"words alone", "cajamarca", FINE(""), " | " WORDS},
    {"figures alone", "cajamarca", REPORT("\"area_ha\":90000,", "2025", "2026-03-01", ""),
     " | period=2025 area_ha=90000 ha"},
    {"neither", "cajamarca", REPORT("", "2025", "2026-03-01", " [1] "), "no_data"},
    {"news have no figures", "news/coffee", FINE("\"area_ha\":90000,"), " | " WORDS},

    /* bounds */
    {"bags, not tonnes", "cajamarca", FINE("\"production_t\":1300000,"), " | " WORDS},
    {"quintals, not tonnes", "cajamarca", FINE("\"production_t\":1695652,"), " | " WORDS},
    {"thousands of tonnes", "cajamarca", FINE("\"production_t\":78,"), " | " WORDS},
    {"the bounds are the topic's", "brazil", FINE("\"production_t\":3960000,"),
     " | period=2025 production_t=3960000 t " WORDS},
    {"one is wrong, the other stays", "cajamarca",
     FINE("\"harvest_progress_pct\":101,\"area_ha\":90000,"),
     " | period=2025 area_ha=90000 ha " WORDS},
    {"below nothing", "cajamarca", FINE("\"harvest_progress_pct\":-1,"), " | " WORDS},
    {"no area", "cajamarca", FINE("\"area_ha\":0,"), " | " WORDS},
    {"grown out of all bounds", "cajamarca", FINE("\"production_change_pct\":900,"), " | " WORDS},
    {"nulls, texts and lists", "cajamarca",
     FINE("\"production_t\":null,\"area_ha\":\"90,000\",\"yield_kg_ha\":[867],"), " | " WORDS},
    {"a price is not asked for", "cajamarca", FINE("\"price\":2.9,"), " | " WORDS},
    {"more digits than there are", "cajamarca",
     FINE("\"harvest_progress_pct\":1e-320,"), " | " WORDS},
    {"they contradict each other", "cajamarca",
     FINE("\"production_t\":78000,\"area_ha\":90000,\"yield_kg_ha\":1400,"), " | " WORDS},
    {"the other way", "cajamarca",
     FINE("\"production_t\":78000,\"area_ha\":90000,\"yield_kg_ha\":500,"
          "\"harvest_progress_pct\":5,"),
     " | period=2025 harvest_progress_pct=5 % " WORDS},
    {"two of the three", "cajamarca", FINE("\"production_t\":78000,\"yield_kg_ha\":1400,"),
     " | period=2025 production_t=78000 t yield_kg_ha=1400 kg/ha " WORDS},
    {"two others", "cajamarca", FINE("\"production_t\":78000,\"area_ha\":9000,"),
     " | period=2025 production_t=78000 t area_ha=9000 ha " WORDS},

    /* figures of no year, or of no day, are none */
    {"no period", "cajamarca", REPORT("\"area_ha\":90000,", "", "2026-03-01", "Good."),
     " | " WORDS},
    {"a period in words", "cajamarca", REPORT("\"area_ha\":90000,", "last year", "2026-03-01", "Good."),
     " | " WORDS},
    {"three digits", "cajamarca", REPORT("\"area_ha\":90000,", "202", "2026-03-01", "Good."),
     " | " WORDS},
    {"long ago", "cajamarca", REPORT("\"area_ha\":90000,", "2022", "2026-03-01", "Good."),
     " | " WORDS},
    {"far ahead", "cajamarca", REPORT("\"area_ha\":90000,", "2028", "2026-03-01", "Good."),
     " | " WORDS},
    {"the next year", "cajamarca", REPORT("\"area_ha\":90000,", "2026-2027", "2026-03-01", "Good."),
     " | period=2026-2027 area_ha=90000 ha " WORDS},
    {"a crop of two years and more", "cajamarca",
     REPORT("\"area_ha\":90000,", "2025/27", "2026-03-01", "Good."), " | " WORDS},
    {"of two thousand years", "cajamarca",
     REPORT("\"area_ha\":90000,", "2025-0026", "2026-03-01", "Good."), " | " WORDS},
    {"half a year", "cajamarca", REPORT("\"area_ha\":90000,", "2025/2", "2026-03-01", "Good."),
     " | " WORDS},
    {"a year and words", "cajamarca",
     REPORT("\"area_ha\":90000,", "2025/26x", "2026-03-01", "Good."), " | " WORDS},
    {"a year and something", "cajamarca", REPORT("\"area_ha\":90000,", "2025 26", "2026-03-01", "Good."),
     " | " WORDS},
    {"no day", "cajamarca", REPORT("\"area_ha\":90000,", "2025", "", "Good."), " | text=Good."},
    {"no such day", "cajamarca", REPORT("\"area_ha\":90000,", "2025", "2026-02-30", "Good."),
     " | text=Good."},
    {"a day and an hour", "cajamarca",
     REPORT("\"area_ha\":90000,", "2025", "2026-03-01 10:00:00", "Good."), " | text=Good."},
    {"the day after tomorrow", "cajamarca", REPORT("\"area_ha\":90000,", "2025", "2026-03-18", "Good."),
     " | text=Good."},
    {"two years old", "cajamarca", REPORT("\"area_ha\":90000,", "2025", "2024-03-01", "Good."),
     " | text=Good."},
    {"a number for a day", "cajamarca", "{\"as_of\":20260301,\"period\":2025,\"outlook\":\"x\"}",
     " | text=x"},

    /* around the object */
    {"thoughts", "cajamarca",
     "<think>\nThe user wants {\"a\":1}. </think> or not\n</think>\n\n" FINE(""), " | " WORDS},
    {"thoughts without end", "cajamarca", "<think>{\"outlook\":\"x\"}", "bad_schema"},
    {"thoughts alone", "cajamarca", "<think>hm</think>", "bad_schema"},
    {"a fence", "cajamarca", "```json\n" FINE("") "\n```\n", " | " WORDS},
    {"thoughts and a fence", "cajamarca", "<think></think>```\n" FINE("") "```", " | " WORDS},
    {"a fence without end", "cajamarca", "```json\n" FINE(""), " | " WORDS},
    {"a fence alone", "cajamarca", "```", "bad_schema"},
    {"an empty fence", "cajamarca", "```\n```", "bad_schema"},
    {"a fence, and hardly anything", "cajamarca", "```\nab", "bad_schema"},
    {"a fence on one line", "cajamarca", "```" FINE("") "```", "bad_schema"},
    {"words before it", "cajamarca", "Here it is: " FINE(""), "bad_schema"},
    {"words behind it", "cajamarca", FINE("") " I hope this helps.", "bad_schema"},
    {"twice", "cajamarca", FINE("") FINE(""), "bad_schema"},
    {"a list", "cajamarca", "[" FINE("") "]", "bad_schema"},
    {"words", "cajamarca", "OK", "bad_schema"},
    {"nothing", "cajamarca", "", "bad_schema"},
    {"spaces", "cajamarca", " \n\t ", "bad_schema"},
    {"cut off", "cajamarca", "{\"outlook\":\"Go", "bad_schema"},
    {"names twice", "cajamarca", "{\"outlook\":\"a\",\"outlook\":\"b\"}", "bad_schema"},
    {"an empty object", "cajamarca", "{}", "no_data"},
    {"an outlook of another kind", "cajamarca", "{\"outlook\":{}}", "no_data"},

    /* words */
    {"strange letters", "cajamarca", "{\"outlook\":\"<b>\\u001b[31m\\u202eJun\\u00edn\\n\\n ok\"}",
     " | text=<b> [31mJunín ok"},
    {"brackets that are no marks", "cajamarca", "{\"outlook\":\"[a] [1 [] [1234] [5]x [\"}",
     " | text=[a] [1 [] [1234] x ["},
};
/* clang-format on */

static void test_reports(void **state)
{
    (void)state;
    size_t bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct observation o = {.values_len = 0};
        struct answer why = {0};
        struct buf got = {0};
        if (report_read(cases[i].text, strlen(cases[i].text), topic_find(cases[i].topic), NOW_MS,
                        &o, &why)) {
            assert_int_equal(why.failure, FAIL_NONE);
            reply_describe_observation(&o, &got);
        } else {
            buf_adds(&got, failure_name(why.failure));
            reply_check_detail(&why);
        }
        if (strcmp(got.p, cases[i].want) != 0) {
            print_error("%s\n  got  %s\n  want %s\n", cases[i].what, got.p, cases[i].want);
            bad++;
        }
        buf_fini(&got);
    }
    assert_int_equal(bad, 0);
}

/* JSON can hold a NUL, so what was written can. */
static void test_nul(void **state)
{
    (void)state;
    static const char *const texts[] = {"\0{}", "{}\0", "\0\0\0"};
    static const size_t lens[] = {3, 3, 3};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct observation o = {.values_len = 0};
        struct answer why = {0};
        assert_false(report_read(texts[i], lens[i], topic_find("peru"), NOW_MS, &o, &why));
        assert_int_equal(why.failure, FAIL_BAD_SCHEMA);
    }
}

/* The day still has room behind the longest outlook, and nothing is cut within a character. */
static void test_long_outlook(void **state)
{
    (void)state;
    struct buf text = {0};
    struct observation o = {.values_len = 0};
    struct answer why = {0};
    buf_adds(&text, "{\"as_of\":\"2026-03-01\",\"outlook\":\"x");
    for (int i = 0; i < 4000; i++)
        buf_adds(&text, "\xc3\xad");
    buf_adds(&text, "\"}");
    assert_true(report_read(text.p, text.len, topic_find("peru"), NOW_MS, &o, &why));
    assert_true(utf8_valid(o.text, strlen(o.text)));
    assert_non_null(strstr(o.text, "\xc3\xad\xe2\x80\xa6 (as of 2026-03-01)"));
    assert_in_range(strlen(o.text), 1000, 1040);
    buf_fini(&text);
}

/* The schemas are JSON, and ask for what is read. */
static void test_schemas(void **state)
{
    (void)state;
    static const char *const names[] = {
        "production_t",         "area_ha", "yield_kg_ha", "production_change_pct",
        "harvest_progress_pct", "period",  "as_of",       "outlook"};
    json_t *harvest = json_loads(report_schema(topic_find("peru")), 0, NULL);
    json_t *country = json_loads(report_schema(topic_find("brazil")), 0, NULL);
    json_t *news = json_loads(report_schema(topic_find("news/coffee")), 0, NULL);
    assert_non_null(news);
    assert_true(json_equal(harvest, country));
    const json_t *properties = json_object_get(harvest, "properties");
    assert_int_equal(json_object_size(properties), ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_non_null(json_object_get(properties, names[i]));
    assert_int_equal(json_object_size(json_object_get(news, "properties")), 2);
    json_decref(harvest);
    json_decref(country);
    json_decref(news);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_long_outlook),
        cmocka_unit_test(test_schemas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
