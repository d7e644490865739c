#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bus_url.h"
#include "seed.h"

static const struct {
    const char *text;
    struct bus_url want;
} good[] = {
    {"redis://localhost",           {.host = "localhost", .port = 6379, .address = "localhost:6379"}      },
    {"redis://localhost/",          {.host = "localhost", .port = 6379, .address = "localhost:6379"}      },
    {"redis://10.0.0.1:7000/15",
     {.host = "10.0.0.1", .port = 7000, .db = 15, .address = "10.0.0.1:7000"}                             },
    {"redis://[::1]:7000/2",        {.host = "::1", .port = 7000, .db = 2, .address = "[::1]:7000"}       },
    {"redis://[fe80::1]",           {.host = "fe80::1", .port = 6379, .address = "[fe80::1]:6379"}        },
    {"redis://pg:secret@h:1/0",
     {.host = "h", .port = 1, .user = "pg", .password = "secret", .address = "h:1"}                       },
    {"redis://:secret@h",           {.host = "h", .port = 6379, .password = "secret", .address = "h:6379"}},
    {"redis://u%40x:p%3a%2Fq%25@h",
     {.host = "h", .port = 6379, .user = "u@x", .password = "p:/q%", .address = "h:6379"}                 },
    {"redis://u:p@q@h",
     {.host = "h", .port = 6379, .user = "u", .password = "p@q", .address = "h:6379"}                     },
    {"rediss://u:p@h:6380/1",
     {.is_tls = true,
      .host = "h",
      .port = 6380,
      .db = 1,
      .user = "u",
      .password = "p",
      .address = "h:6380"}                                                                                },
    {"rediss://[::1]",              {.is_tls = true, .host = "::1", .port = 6379, .address = "[::1]:6379"}},
    {"unix:///run/redis.sock",
     {.is_unix = true, .path = "/run/redis.sock", .address = "/run/redis.sock"}                           },
    {"unix:///run/r.sock?db=4",
     {.is_unix = true, .path = "/run/r.sock", .db = 4, .address = "/run/r.sock"}                          },
    {"unix://u:p@/r.sock?db=0",
     {.is_unix = true, .path = "/r.sock", .user = "u", .password = "p", .address = "/r.sock"}             },
    {"unix:///a@b.sock",            {.is_unix = true, .path = "/a@b.sock", .address = "/a@b.sock"}        },
};

static const struct {
    const char *text, *part_of_error;
} bad[] = {
    {"",                               "or unix://"       },
    {"localhost:6379",                 "or unix://"       },
    {"rediss:/h",                      "or unix://"       },
    {"rediss://",                      "host"             },
    {"rediss://h/x",                   "database"         },
    {"redis://",                       "host"             },
    {"redis://:6379",                  "host"             },
    {"redis:///0",                     "host"             },
    {"redis://a b",                    "host"             },
    {"redis://[::1",                   "["                },
    {"redis://[::1]7",                 "port"             },
    {"redis://h:",                     "port"             },
    {"redis://h:0",                    "port"             },
    {"redis://h:65536",                "port"             },
    {"redis://h:63x",                  "port"             },
    {"redis://h:-1",                   "port"             },
    {"redis://h/x",                    "database"         },
    {"redis://h/-1",                   "database"         },
    {"redis://h/1/2",                  "database"         },
    {"redis://h/9999999999",           "database"         },
    {"redis://SECRET@h",               "user:password"    },
    {"redis://u:@h",                   "password is empty"},
    {"redis://u:SECRET%@h",            "percent"          },
    {"redis://u:SECRET%4@h",           "percent"          },
    {"redis://u:SECRET%zz@h",          "percent"          },
    {"redis://u:SECRET%00@h",          "percent"          },
    {"unix://",                        "absolute path"    },
    {"unix:///",                       "absolute path"    },
    {"unix://run/redis.sock",          "absolute path"    },
    {"unix:///r.sock?db=",             "?db="             },
    {"unix:///r.sock?db=x",            "?db="             },
    {"unix:///r.sock?d",               "?db="             },
    {"unix:///r.sock?password=SECRET", "?db="             },
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct bus_url u;
        struct err err = {""};
        const struct bus_url *want = &good[i].want;
        seed_keep_text("bus_url", good[i].text);
        if (bus_url_parse(good[i].text, &u, &err) != 0)
            fail_msg("%s: %s", good[i].text, err.text);
        assert_int_equal(u.is_unix, want->is_unix);
        assert_int_equal(u.is_tls, want->is_tls);
        assert_string_equal(u.host, want->host);
        assert_int_equal(u.port, want->port);
        assert_string_equal(u.path, want->path);
        assert_int_equal(u.db, want->db);
        assert_string_equal(u.user, want->user);
        assert_string_equal(u.password, want->password);
        assert_string_equal(u.address, want->address);
    }
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct bus_url u;
        struct err err = {""};
        seed_keep_text("bus_url", bad[i].text);
        if (bus_url_parse(bad[i].text, &u, &err) != -1)
            fail_msg("accepted: %s", bad[i].text);
        if (strncmp(err.text, "redis.url: ", 11) != 0 || !strstr(err.text, bad[i].part_of_error))
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].text, err.text, bad[i].part_of_error);
        assert_null(strstr(err.text, "SECRET"));
    }
}

static void test_too_long(void **state)
{
    (void)state;
    char text[1200] = "unix:///";
    struct bus_url u;
    memset(text + strlen(text), 'x', 106);
    assert_int_equal(bus_url_parse(text, &u, NULL), 0); /* 107 bytes of path */
    strcat(text, "x");
    assert_int_equal(bus_url_parse(text, &u, NULL), -1);

    memset(text, 0, sizeof text);
    strcpy(text, "redis://");
    memset(text + strlen(text), 'h', 255);
    assert_int_equal(bus_url_parse(text, &u, NULL), 0);
    strcat(text, "h");
    assert_int_equal(bus_url_parse(text, &u, NULL), -1);

    memset(text, 0, sizeof text);
    strcpy(text, "redis://:");
    memset(text + strlen(text), 'p', 512);
    strcat(text, "@h");
    assert_int_equal(bus_url_parse(text, &u, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
