/* Every way in which Redis can be lost or refuse comes with what to do about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "attrs.h"
#include "bus_advice.h"

static void test_advice(void **state)
{
    (void)state;
    static const struct {
        const char *error, *part;
    } cases[] = {
        {"NOAUTH Authentication required.",                               "redis.url"                 },
        {"WRONGPASS invalid username-password pair or user is disabled.", "password"                  },
        {"NOPERM this user has no permissions to run the 'set' command",  "README"                    },
        {"READONLY You can't write against a read only replica.",         "primary"                   },
        {"OOM command not allowed when used memory > 'maxmemory'.",       "maxmemory-policy"          },
        {"MISCONF Redis is configured to save RDB snapshots",             "disk"                      },
        {"LOADING Redis is loading the dataset in memory",                "nothing to do"             },
        {"ERR max number of clients reached",                             "maxclients"                },
        {"ERR DB index is out of range",                                  "database number"           },
        {"Redis at 127.0.0.1:6379: Connection refused",                   "running"                   },
        {"Redis at /run/redis.sock: No such file or directory",           "unixsocket"                },
        {"Redis at 127.0.0.1:6379: no answer for 1 s",                    "hangs"                     },
        {"connected, but no answer for 2 s",                              "hangs"                     },
        {"no connection in 2 s",                                          "firewall"                  },
        {"Connection reset by peer",                                      "died"                      },
        {"Server closed the connection",                                  "client-output-buffer-limit"},
        {"Protocol error, got \"H\" as reply type byte",                  "no Redis"                  },
        {"Connection reset by peer before it answered over TLS",          "redis.tls.cert"            },
        {"TLS: tlsv13 alert certificate required",                        "redis.tls.cert"            },
        {"TLS: tlsv1 alert unknown ca",                                   "tls-ca-cert-file"          },
        {"TLS: wrong version number",                                     "redis://"                  },
        {"its certificate is not accepted: hostname mismatch",            "another name"              },
        {"its certificate is not accepted: IP address mismatch",          "name"                      },
        {"its certificate is not accepted: certificate has expired",      "renew"                     },
        {"its certificate is not accepted: certificate is not yet valid", "clocks"                    },
        {"its certificate is not accepted: self-signed certificate",      "redis.tls.ca"              },
        {"slow",                                                          "SLOWLOG"                   },
        {"unknown node or service",                                       "host"                      },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_non_null(strstr(bus_advice(cases[i].error), cases[i].part));
    assert_string_equal(bus_advice("something new"), "");
    assert_string_equal(bus_advice(""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_advice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
