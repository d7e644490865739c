/* The command line by table: arguments in, options or a sentence out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static const struct command commands[] = {
    {"run",   "[run]",           "start", OPT_CONFIG | OPT_PORT | OPT_DEMO | OPT_LOG_LEVEL, 0, 0,  NULL},
    {"fetch", "fetch SYMBOL",    "ask",   OPT_CONFIG | OPT_PROVIDER | OPT_ALL,              1, 1,  NULL},
    {"state", "state",           "see",   OPT_WATCH | OPT_URL,                              0, 0,  NULL},
    {"watch", "watch SYMBOL...", "look",  OPT_URL,                                          1, -1, NULL},
};

/* Parses a line of words separated by single spaces. */
static int parse(const char *line, struct options *o, struct err *err, char *copy, size_t size)
{
    static char *argv[16];
    int argc = 0;
    snprintf(copy, size, "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    return options_parse(argc, argv, commands, ARRAY_LEN(commands), o, err);
}

static void test_good_lines(void **state)
{
    (void)state;
    char copy[256];
    struct options o;
    struct err err;

    assert_int_equal(parse("pricegate", &o, &err, copy, sizeof copy), 0);
    assert_string_equal(o.command->name, "run");
    assert_false(o.demo);

    assert_int_equal(parse("pricegate --demo --port 0", &o, &err, copy, sizeof copy), 0);
    assert_string_equal(o.command->name, "run");
    assert_true(o.demo);
    assert_string_equal(o.port, "0");

    assert_int_equal(parse("pricegate fetch --provider yahoo coffee --config=a.json", &o, &err,
                           copy, sizeof copy),
                     0);
    assert_string_equal(o.provider, "yahoo");
    assert_string_equal(o.config, "a.json");
    assert_int_equal(o.args_len, 1);
    assert_string_equal(o.args[0], "coffee");

    assert_int_equal(parse("pricegate fetch --all", &o, &err, copy, sizeof copy), 0);
    assert_true(o.all);
    assert_int_equal(o.args_len, 0);

    assert_int_equal(
        parse("pricegate watch A --url http://x B -- --C", &o, &err, copy, sizeof copy), 0);
    assert_int_equal(o.args_len, 3);
    assert_string_equal(o.args[1], "B");
    assert_string_equal(o.args[2], "--C");

    assert_int_equal(parse("pricegate fetch --help", &o, &err, copy, sizeof copy), 0);
    assert_true(o.help);
    assert_int_equal(parse("pricegate --version", &o, &err, copy, sizeof copy), 0);
    assert_true(o.version);
}

/* A value that may be left out is the next word only when that is a number. */
static void test_optional_value(void **state)
{
    (void)state;
    static const struct {
        const char *line, *watch, *url;
    } rows[] = {
        {"pricegate state",                            NULL, NULL       },
        {"pricegate state --watch",                    "",   NULL       },
        {"pricegate state -w",                         "",   NULL       },
        {"pricegate state -w 5",                       "5",  NULL       },
        {"pricegate state --watch=5",                  "5",  NULL       },
        {"pricegate state -w --url http://a",          "",   "http://a" },
        {"pricegate state --url HTTPS://a --watch 60", "60", "HTTPS://a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char copy[256];
        struct options o;
        struct err err = {0};
        if (parse(rows[i].line, &o, &err, copy, sizeof copy) != 0)
            fail_msg("%s: %s", rows[i].line, err.text);
        assert_int_equal(o.watch == NULL, rows[i].watch == NULL);
        if (o.watch)
            assert_string_equal(o.watch, rows[i].watch);
        if (rows[i].url)
            assert_string_equal(o.url, rows[i].url);
    }
}

static void test_wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"pricegate walk",                "walk: no such command"                            },
        {"pricegate --colour",            "--colour: no such option"                         },
        {"pricegate watch A --port 1",    "--port: not an option of `watch`"                 },
        {"pricegate --port",              "--port: N is missing"                             },
        {"pricegate --port 70000",        "--port: 70000 is not a port"                      },
        {"pricegate --port 1x",           "--port: 1x is not a port"                         },
        {"pricegate --log-level loud",    "--log-level: loud is none of"                     },
        {"pricegate state --url desk:80", "--url: desk:80 is not the URL of a gateway (http:"},
        {"pricegate state --url ftp://x", "--url: ftp://x is not the URL"                    },
        {"pricegate state --url http://", "--url: http:// is not the URL"                    },
        {"pricegate state --url unix:x",  "--url: unix:x is not the URL"                     },
        {"pricegate --demo=yes",          "--demo takes no value"                            },
        {"pricegate fetch",               "usage: pricegate fetch SYMBOL"                    },
        {"pricegate fetch A B",           "B: what is this?"                                 },
        {"pricegate fetch --all A",       "A: what is this?"                                 },
        {"pricegate watch --all",         "--all: not an option of `watch`"                  },
        {"pricegate state -w 0",          "--watch: 0 is not a number of seconds"            },
        {"pricegate state -w 1h",         "--watch: 1h is not a number of seconds"           },
        {"pricegate state --watch=3601",  "--watch: 3601 is not"                             },
        {"pricegate state soon",          "soon: what is this?"                              },
        {"pricegate watch A -w",          "--watch: not an option of `watch`"                },
        {"pricegate run away",            "away: what is this?"                              },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char copy[256];
        struct options o;
        struct err err = {0};
        assert_int_equal(parse(rows[i].line, &o, &err, copy, sizeof copy), -1);
        if (!strstr(err.text, rows[i].says))
            fail_msg("%s: said '%s'", rows[i].line, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lines),
        cmocka_unit_test(test_optional_value),
        cmocka_unit_test(test_wrong_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
