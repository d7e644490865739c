/* The usual hours of well-known exchanges, by their own clocks.
 *
 * They are from general knowledge of the year 2025, not from the exchanges' rule books, and rules
 * change: who depends on them looks them up and puts what differs under `exchanges` in the
 * configuration. Left out are auctions, and hours that single products have of their own; where a
 * product's hours are far from its exchange's, it has a row (ICEUS-COFFEE). No holidays: they are
 * other ones every year and come from a file.
 *
 * CME, COMEX, NYMEX: Globex, as most futures there trade it: from Sunday evening to Friday
 * afternoon with an hour's pause each day. CBOT's grains have a pause in the morning. Brent at ICE
 * keeps London's hours. FX is the week of the interbank market by New York's clocks. */
#include "exchanges.h"

#define GLOBEX "Sun-Thu 18:00-17:00"
#define ROW(n, z, ...)                                                                             \
    {                                                                                              \
        .name = (n), .timezone = (z), .hours = { __VA_ARGS__ }                                     \
    }
#define AMERICAN(n)                                                                                \
    {                                                                                              \
        .name = (n), .timezone = "America/New_York", .hours = {"Mon-Fri 09:30-16:00"},             \
        .pre_hours = {"Mon-Fri 04:00-09:30"}, .post_hours = {                                      \
            "Mon-Fri 16:00-20:00"                                                                  \
        }                                                                                          \
    }

const struct exchange_row exchange_rows[] = {
    AMERICAN("AMEX"),
    AMERICAN("ARCA"),
    ROW("ASX", "Australia/Sydney", "Mon-Fri 10:00-16:00"),
    ROW("BSE", "Asia/Kolkata", "Mon-Fri 09:15-15:30"),
    ROW("CBOT-GRAINS", "America/Chicago", "Sun-Thu 19:00-07:45", "Mon-Fri 08:30-13:20"),
    ROW("CME", "America/New_York", GLOBEX),
    ROW("COMEX", "America/New_York", GLOBEX),
    ROW("CRYPTO", "UTC", "Mon-Sun 00:00-24:00"),
    ROW("EURONEXT", "Europe/Paris", "Mon-Fri 09:00-17:30"),
    ROW("FX", "America/New_York", "Sun-Thu 17:00-17:00"),
    ROW("HKEX", "Asia/Hong_Kong", "Mon-Fri 09:30-12:00", "Mon-Fri 13:00-16:00"),
    ROW("ICEEU-BRENT", "Europe/London", "Sun 23:00-23:00", "Tue-Fri 01:00-23:00"),
    ROW("ICEEU-COCOA", "Europe/London", "Mon-Fri 09:30-16:55"),
    ROW("ICEEU-COFFEE", "Europe/London", "Mon-Fri 09:00-17:30"),
    ROW("ICEUS-COCOA", "America/New_York", "Mon-Fri 04:45-13:30"),
    ROW("ICEUS-COFFEE", "America/New_York", "Mon-Fri 04:15-13:30"),
    ROW("ICEUS-COTTON", "America/New_York", "Sun-Thu 21:00-14:20"),
    ROW("ICEUS-ORANGE", "America/New_York", "Mon-Fri 08:00-14:00"),
    ROW("ICEUS-SUGAR", "America/New_York", "Mon-Fri 03:30-13:00"),
    ROW("JPX", "Asia/Tokyo", "Mon-Fri 09:00-11:30", "Mon-Fri 12:30-15:30"),
    ROW("LSE", "Europe/London", "Mon-Fri 08:00-16:30"),
    AMERICAN("NASDAQ"),
    ROW("NSE", "Asia/Kolkata", "Mon-Fri 09:15-15:30"),
    ROW("NYMEX", "America/New_York", GLOBEX),
    AMERICAN("NYSE"),
    ROW("SIX", "Europe/Zurich", "Mon-Fri 09:00-17:30"),
    ROW("SSE", "Asia/Shanghai", "Mon-Fri 09:30-11:30", "Mon-Fri 13:00-15:00"),
    ROW("TSE", "Asia/Tokyo", "Mon-Fri 09:00-11:30", "Mon-Fri 12:30-15:30"),
    ROW("TSX", "America/Toronto", "Mon-Fri 09:30-16:00"),
    ROW("XETRA", "Europe/Berlin", "Mon-Fri 09:00-17:30"),
};
const size_t exchange_rows_len = ARRAY_LEN(exchange_rows);
