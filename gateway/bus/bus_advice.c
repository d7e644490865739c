#include "bus_advice.h"

#include <string.h>

#include "attrs.h"

/* The first row whose text occurs in the error. The codes are Redis's own (Redis 7.0, server.c:
 * shared objects); the rest are errno texts, hiredis's and bus_link.c's. */
static const struct {
    const char *part, *advice;
} rows[] = {
    {"NOAUTH",                 "give the password in redis.url (redis://:PASSWORD@host:port)"                },
    {"WRONGPASS",              "correct the user or the password in redis.url"                               },
    {"NOPERM",                 "give the user of redis.url the rights that README names under Redis"         },
    {"READONLY",               "redis.url names a replica: name its primary"                                 },
    {"OOM",                    "Redis has reached maxmemory: raise it, or set maxmemory-policy volatile-ttl" },
    {"MISCONF",                "Redis cannot save to its disk: see its log"                                  },
    {"NOREPLICAS",             "Redis misses the replicas that min-replicas-to-write asks for"               },
    {"LOADING",                "nothing to do: Redis is reading its data and will answer"                    },
    {"MASTERDOWN",             "redis.url names a replica that has lost its primary: name the primary"       },
    {"BUSY",                   "a script blocks Redis: SCRIPT KILL ends it"                                  },
    {"MOVED",                  "redis.url names a cluster: name a single Redis"                              },
    {"DENIED",                 "Redis is in protected mode: set a password, or bind it to loopback"          },
    {"max number of clients",  "raise maxclients of Redis, or close what is connected"                       },
    {"DB index is out of",     "correct the database number in redis.url"                                    },
    {"Connection refused",     "is redis-server running at this address?"                                    },
    {"No such file",           "is redis-server running, with this unixsocket?"                              },
    {"Permission denied",      "let this user open the socket (unixsocketperm)"                              },
    {"over TLS",               "does it want a certificate (tls-auth-clients)? redis.tls.cert, redis.tls.key"},
    {"certificate required",   "Redis wants to see a certificate: redis.tls.cert, redis.tls.key"             },
    {"unknown ca",             "its tls-ca-cert-file does not know who signed redis.tls.cert"                },
    {"Server closed the conn",
     "see the log of Redis: it was stopped, speaks TLS (rediss://), or threw us out "
     "(maxclients, client-output-buffer-limit, CLIENT KILL)"                                                 },
    {"Connection reset",       "Redis died, speaks TLS (rediss://), or something on the way resets "
                         "connections: see its log"                                  },
    {"no answer for",          "Redis hangs, or the network swallows packets: SLOWLOG GET, LATENCY DOCTOR"   },
    {"no connection in",       "the address answers nothing: is it right, does a firewall drop packets?"     },
    {"Protocol error",         "what answers at this address is no Redis (or speaks TLS: rediss://)"         },
    {"wrong version number",   "what answers there speaks no TLS: redis:// instead of rediss://"             },
    {"hostname mismatch",      "the certificate of Redis is for another name than that in redis.url"         },
    {"IP address mismatch",    "the certificate of Redis is for a name: give that in redis.url"              },
    {"has expired",            "renew the certificate of Redis"                                              },
    {"not yet valid",          "look at the clocks of both machines"                                         },
    {"its certificate is not", "name the file of the authority that signed it in redis.tls.ca"               },
    {"slow",                   "Redis answers more slowly than prices come: SLOWLOG GET"                     },
    {"name lookup",            "the name server does not answer: use an address in redis.url"                },
    {"name has no address",    "correct the host in redis.url"                                               },
    {"unknown node",           "correct the host in redis.url"                                               },
};

const char *bus_advice(const char *error)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strstr(error, rows[i].part))
            return rows[i].advice;
    return "";
}
