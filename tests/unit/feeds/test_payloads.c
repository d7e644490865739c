/* Every recorded reply is read as the table says.
 *
 * The replies are a folder of recorded replies beside the checkout, one sub-folder per provider;
 * they are not part of the repository. Where the folder is absent there is nothing to test, and the
 * test says so. Where it is there, each file must have a row and each row its file: a new recording
 * is a decision on what it means, not something that is skipped. */
#include <dirent.h>
#include <sys/stat.h>

#include "reply_case.h"

/* 2025-02-20 16:00:00 UTC, when most of the recorded charts' markets were open. */
#define MARKETS_OPEN_MS INT64_C(1740067200000)

/* A row in a few lines, whatever its length. */
/* clang-format off */
static const struct reply_case twelvedata_rows[] = {
    /* no quote at all */
    {.what = "api_usage-grow.json", .symbols = "AAPL",
     .answers = "AAPL bad_schema",
     .verdict = "bad_schema"},
    {.what = "batch-error.json", .symbols = "AAPL,INVALID",
     .answers = "AAPL 229.87000 USD @1732233600000 unknown open=228.84000 high=230.50000 "
                "low=227.25000 volume=35462000\n"
                "INVALID not_found",
     .verdict = "ok"},
    /* keyed by names of requests, not symbols; the quotes inside are for other symbols */
    {.what = "batch-multi.json", .symbols = "ts_aapl,q_msft,p_goog",
     .answers = "ts_aapl bad_schema\n"
                "q_msft bad_schema\n"
                "p_goog bad_schema",
     .verdict = "bad_schema"},
    {.what = "batch-quote.json", .symbols = "AAPL,MSFT",
     .answers = "AAPL 229.87000 USD @1732305600000 closed prev=228.52000 open=228.84000 "
                "high=230.50000 low=227.25000 volume=35462000\n"
                "MSFT 414.17000 USD @1732305600000 closed prev=412.87000 open=412.18000 "
                "high=415.63000 low=411.36000 volume=18934500",
     .verdict = "ok"},
    {.what = "batch-time-series.json", .symbols = "AAPL,MSFT",
     .answers = "AAPL 229.87000 USD @1732233600000 unknown open=228.84000 high=230.50000 "
                "low=227.25000 volume=35462000\n"
                "MSFT 414.17000 USD @1732233600000 unknown open=412.18000 high=415.63000 "
                "low=411.36000 volume=18934500",
     .verdict = "ok"},
    /* the shape of an exchange rate */
    {.what = "currency_conversion.json", .symbols = "EUR/USD",
     .answers = "EUR/USD 1.16844 USD @1754555760000 unknown",
     .verdict = "ok"},
    {.what = "error-401-apikey.json", .symbols = "AAPL",
     .answers = "AAPL auth",
     .verdict = "auth"},
    {.what = "error-404-symbol-figi.json", .symbols = "AAPL", .status = 404,
     .answers = "AAPL not_found",
     .verdict = "ok"},
    /* the minute of credits: 70 seconds */
    {.what = "error-429-minute-credits.json", .symbols = "AAPL", .status = 429,
     .answers = "AAPL rate_limited",
     .verdict = "rate_limited cooldown=70000"},
    {.what = "exchange_rate.json", .symbols = "EUR/USD",
     .answers = "EUR/USD 1.16844 USD @1754555760000 unknown",
     .verdict = "ok"},
    /* no quote at all */
    {.what = "exchange_schedule.json", .symbols = "AAPL",
     .answers = "AAPL bad_schema",
     .verdict = "bad_schema"},
    /* values without meta: not a series */
    {.what = "market_movers_stocks.json", .symbols = "MSW",
     .answers = "MSW bad_schema",
     .verdict = "bad_schema"},
    {.what = "quote-amzn-2026.json", .symbols = "AMZN",
     .answers = "AMZN 248.39 USD @1790343900000 open prev=249.38000 open=248.69 high=250.105 "
                "low=247.745 volume=246199",
     .verdict = "ok"},
    {.what = "quote-spy-2026.json", .symbols = "SPY",
     .answers = "SPY 769.465 USD @1790343900000 open prev=767.17999 open=768.765 high=770.06 "
                "low=767.77 volume=86217",
     .verdict = "ok"},
    {.what = "time_series-batch-fx-1day.json", .symbols = "USD/CZK,USD/EUR,USD/GBP,USD/CHF",
     .answers = "USD/CZK 22.03530 CZK @1691107200000 unknown open=22.11000 high=22.21170 "
                "low=21.94720\n"
                "USD/EUR 0.90820 EUR @1691107200000 unknown open=0.91334 high=0.91448 "
                "low=0.90568\n"
                "USD/GBP 0.78425 GBP @1691107200000 unknown open=0.78690 high=0.78798 "
                "low=0.78175\n"
                "USD/CHF 0.87290 CHF @1691107200000 unknown open=0.87425 high=0.87840 "
                "low=0.86990",
     .verdict = "ok"},
    /* names no symbol: nobody can tell what it is the price of */
    {.what = "time_series_cross.json", .symbols = "JPY/BTC",
     .answers = "JPY/BTC bad_schema",
     .verdict = "bad_schema"},
    /* has symbol, price and time: as good as a quote */
    {.what = "websocket_price_event.json", .symbols = "AAPL",
     .answers = "AAPL 150.25 USD @1631772000000 unknown",
     .verdict = "ok"},
};

static const struct reply_case yahoo_rows[] = {
    {.what = "429-edge-too-many-requests.txt", .symbols = "AAPL", .status = 429,
     .answers = "AAPL rate_limited",
     .verdict = "rate_limited cooldown=900000"},
    {.what = "chart-404-not-found.json", .symbols = "AAPL", .status = 404,
     .answers = "AAPL not_found",
     .verdict = "ok"},
    {.what = "chart-404-plain-no-data.txt", .symbols = "AAPL", .status = 404,
     .answers = "AAPL not_found",
     .verdict = "ok"},
    {.what = "chart-404-plain-timestamp-missing.txt", .symbols = "AAPL", .status = 404,
     .answers = "AAPL no_data",
     .verdict = "ok"},
    /* chartPreviousClose is that of a chart of 2020: no prev */
    {.what = "chart-aapl-1d-events.json", .symbols = "AAPL",
     .answers = "AAPL 244.87 USD @1739998801000 open high=246.01 low=243.16 volume=32129951",
     .verdict = "ok"},
    /* no bars, meta is right; previousClose is given */
    {.what = "chart-aapl-1m-weekend-no-timestamp.json", .symbols = "AAPL",
     .answers = "AAPL 244.87 USD @1739998801000 open prev=244.47 high=246.01 low=243.16 "
                "volume=32129951",
     .verdict = "ok"},
    {.what = "chart-btcusd-1d.json", .symbols = "BTC-USD",
     .answers = "BTC-USD 97208.17 USD @1740051840000 open high=97372.1 low=96481.414 "
                "volume=27909466112",
     .verdict = "ok"},
    {.what = "chart-eurusd-1d.json", .symbols = "EURUSD=X",
     .answers = "EURUSD=X 1.0436 USD @1740052002000 open high=1.0449 low=1.0422",
     .verdict = "ok"},
    {.what = "chart-gc-future-1d.json", .symbols = "GC=F",
     .answers = "GC=F 2952.5 USD @1740051311000 open high=2973.4 low=2949.1 volume=59348",
     .verdict = "ok"},
    /* one bar is all null */
    {.what = "chart-inrx-with-null-bars.json", .symbols = "INR=X",
     .answers = "INR=X 83.89 INR @1726284616000 closed high=83.89 low=83.89",
     .verdict = "ok"},
    /* the currency is null */
    {.what = "chart-lucyw-null-currency.json", .symbols = "LUCYW",
     .answers = "LUCYW 0.1246 - @1749822360000 closed high=0.1246 low=0.1001 volume=4152",
     .verdict = "ok"},
    {.what = "chart-mutualfund-cad-1d.json", .symbols = "0P000071W8.TO",
     .answers = "0P000071W8.TO 153.9 CAD @1739995200000 open",
     .verdict = "ok"},
    /* pence: units.c makes pounds of it */
    {.what = "chart-ocdo-l-gbp-pence-1d.json", .symbols = "OCDO.L",
     .answers = "OCDO.L 305.3 GBp @1740051143000 open high=306.507 low=299.1 volume=145121",
     .verdict = "ok"},
    /* the bar is newer than regularMarketTime; float32 undone */
    {.what = "chart-stale-fund.json", .symbols = "0P0000XTS7",
     .answers = "0P0000XTS7 11892.19 USD @1726234200000 closed",
     .verdict = "ok"},
    {.what = "chart-tsla-1d-range.json", .symbols = "TSLA",
     .answers = "TSLA 230.29 USD @1726257600000 closed high=232.664 low=226.32 volume=59096538",
     .verdict = "ok"},
    {.what = "chart-wskt-jk-idr-1d.json", .symbols = "WSKT.JK",
     .answers = "WSKT.JK 202 IDR @1721764800000 closed high=202 low=202",
     .verdict = "ok"},
    {.what = "chart-wsu-de-eur-1d.json", .symbols = "WSU.DE",
     .answers = "WSU.DE 38.9 EUR @1740049420000 open high=39.3 low=38.8 volume=45",
     .verdict = "ok"},
    /* the error stands under another root name */
    {.what = "finance-error-400.json", .symbols = "AAPL", .status = 400,
     .answers = "AAPL upstream_error",
     .verdict = "upstream_error"},
    /* text in place of data */
    {.what = "getcrumb-200.txt", .symbols = "AAPL",
     .answers = "AAPL bad_schema",
     .verdict = "bad_schema"},
    {.what = "quote-401-invalid-crumb.json", .symbols = "AAPL", .status = 401,
     .answers = "AAPL auth",
     .verdict = "auth"},
    {.what = "quote-401-unable-to-access.json", .symbols = "AAPL", .status = 401,
     .answers = "AAPL auth",
     .verdict = "auth"},
    /* no price in the quote */
    {.what = "quote-adh-missing-fields.json", .symbols = "ADH",
     .answers = "ADH no_data",
     .verdict = "ok"},
    {.what = "quote-batch-aapl-baba.json", .symbols = "AAPL,BABA",
     .answers = "AAPL 244.6 USD @1739566800000 closed prev=241.53 open=241.07 high=245.41 "
                "low=241 bid=244.44 ask=253.37 volume=40896227\n"
                "BABA 124.73 USD @1739566802000 closed prev=119.54 open=126.59 high=126.8 "
                "low=120.495 bid=124.75 ask=124.97 volume=52086273",
     .verdict = "ok"},
    /* bid and ask 0 are none; the unknown symbol is left out silently */
    {.what = "quote-batch-one-unknown.json", .symbols = "AAPL,NONEXIST",
     .answers = "AAPL 160.07 USD @1645650002000 pre prev=164.32 open=164.98 high=166.15 "
                "low=159.75 volume=90009247\n"
                "NONEXIST not_found",
     .verdict = "ok"},
    {.what = "quote-btcusd.json", .symbols = "BTC-USD",
     .answers = "BTC-USD 96077.45 USD @1739789580000 open prev=96137.88 open=96137.88 "
                "high=96581.79 low=95934.96 volume=21228961792",
     .verdict = "ok"},
    /* HTTP 200 and nothing */
    {.what = "quote-delisted-empty-result.json", .symbols = "SIX",
     .answers = "SIX not_found",
     .verdict = "ok"},
    {.what = "quote-eurusd.json", .symbols = "EURUSD=X",
     .answers = "EURUSD=X 1.0489877 USD @1739789683000 open prev=1.0495383 open=1.0494281 "
                "high=1.0508617 low=1.0474495 bid=1.0489877 ask=1.0484378",
     .verdict = "ok"},
    /* declares its lateness: 10 minutes */
    {.what = "quote-gc.json", .symbols = "GC=F",
     .answers = "GC=F 2910.3 USD @1739789091000 open prev=2900.7 open=2895.1 high=2919 "
                "low=2887.6 bid=2910.7 ask=2910.8 volume=54706 delayed=600",
     .verdict = "ok"},
    {.what = "quote-ocdo-l-gbp-pence.json", .symbols = "OCDO.L",
     .answers = "OCDO.L 308.8 GBp @1739788724000 open prev=315.2 open=308.2 high=315.4158 "
                "low=308.2 bid=308.5 ask=308.8 volume=113925 delayed=900",
     .verdict = "ok"},
    {.what = "quote-unknown-empty-result.json", .symbols = "NONEXIST",
     .answers = "NONEXIST not_found",
     .verdict = "ok"},
    {.what = "quote-zrc-usd-odd.json", .symbols = "ZRC-USD",
     .answers = "ZRC-USD 0.076522574 USD @1644085740000 open prev=0.024663875 open=0.024663875 "
                "high=0.08392516 low=0.016863955",
     .verdict = "ok"},
    {.what = "quotesummary-404-not-found.json", .symbols = "QQQ", .status = 404,
     .answers = "QQQ not_found",
     .verdict = "ok"},
    /* a frame of the streamer, base64: not for this parser */
    {.what = "streamer-aapl.b64.txt", .symbols = "AAPL",
     .answers = "AAPL bad_schema",
     .verdict = "bad_schema"},
    {.what = "streamer-btc-usd.b64.txt", .symbols = "BTC-USD",
     .answers = "BTC-USD bad_schema",
     .verdict = "bad_schema"},
    /* plain text of an interface that is gone */
    {.what = "v7-download-400-plain.txt", .symbols = "AAPL", .status = 400,
     .answers = "AAPL no_data",
     .verdict = "ok"},
};

static const struct reply_case ecb_rows[] = {
    {.what = "data-api-exr-csvdata.csv", .symbols = "EUR/USD",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "eurofxref-daily-2015-01-07.xml", .symbols = "EUR/USD",
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "eurofxref-daily-2024-06-26.xml", .symbols = "EUR/USD,GBP/USD,EUR/ISK,EUR/RUB",
     .answers = "EUR/USD 1.0689 USD @1719403800000 unknown\n"
                "GBP/USD 1.26567 USD @1719403800000 unknown derived\n"
                "EUR/ISK 149.10 ISK @1719403800000 unknown\n"
                "EUR/RUB not_found",
     .verdict = "ok"},
    /* history: many days, an empty one, one that was cut off */
    {.what = "eurofxref-hist-90d.xml", .symbols = "EUR/USD",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
    {.what = "eurofxref-hist-empty.xml", .symbols = "EUR/USD",
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "eurofxref-hist-partial.xml", .symbols = "EUR/USD",
     .answers = "EUR/USD bad_schema", .verdict = "bad_schema"},
};

static const struct reply_case fred_rows[] = {
    {.what = "error-400-api-key.json", .symbols = "DEXUSEU", .status = 400,
     .answers = "DEXUSEU auth", .verdict = "auth"},
    {.what = "observations-dexbzus.json", .symbols = "DEXBZUS",
     .answers = "DEXBZUS 5.2914 BRL @1773417600000 unknown prev=5.214"
                " | series=DEXBZUS period=2026-03-13 value=5.2914", .verdict = "ok"},
    {.what = "observations-dexcaus.json", .symbols = "DEXCAUS",
     .answers = "DEXCAUS 1.3736 CAD @1773417600000 unknown prev=1.3618"
                " | series=DEXCAUS period=2026-03-13 value=1.3736", .verdict = "ok"},
    {.what = "observations-dexjpus.json", .symbols = "DEXJPUS",
     .answers = "DEXJPUS 159.54 JPY @1773417600000 unknown prev=159.21"
                " | series=DEXJPUS period=2026-03-13 value=159.54", .verdict = "ok"},
    {.what = "observations-dexuseu.json", .symbols = "DEXUSEU",
     .answers = "DEXUSEU 1.1444 USD @1773417600000 unknown prev=1.1522"
                " | series=DEXUSEU period=2026-03-13 value=1.1444", .verdict = "ok"},
    /* cut off by who kept it */
    {.what = "observations-umcsent-dots-fragment.txt", .symbols = "UMCSENT",
     .answers = "UMCSENT bad_schema", .verdict = "bad_schema"},
};

static const struct reply_case exchangerate_rows[] = {
    {.what = "error-invalid-key.json", .symbols = "USD/CAD", .status = 403,
     .answers = "USD/CAD auth", .verdict = "auth"},
    {.what = "error-unsupported-code.json", .symbols = "USD/CAD", .status = 404,
     .answers = "USD/CAD not_found", .verdict = "ok"},
    {.what = "open-latest-usd.json", .symbols = "USD/CAD,USD/BZD,CAD/USD,CHF/CNY,USD/EUR",
     .answers = "USD/CAD 1.383268 CAD @1757462551000 unknown\n"
                "USD/BZD 2 BZD @1757462551000 unknown\n"
                "CAD/USD 0.72292571 USD @1757462551000 unknown derived\n"
                "CHF/CNY 8.9449036 CNY @1757462551000 unknown derived\n"
                "USD/EUR not_found",
     .verdict = "ok"},
    {.what = "v6-pair-usd-cny.json", .symbols = "USD/CNY,CNY/USD",
     .answers = "USD/CNY 7.1241 CNY @1757462401000 unknown\n"
                "CNY/USD 0.140369 USD @1757462401000 unknown derived",
     .verdict = "ok"},
};

/* Recorded a year apart: only the newest is not too old. */
static const struct reply_case frankfurter_rows[] = {
    {.what = "v1-latest-2026-09-04.json", .symbols = "EUR/USD,GBP/JPY,EUR/CHF",
     .answers = "EUR/USD 1.1622 USD @1788523800000 unknown\n"
                "GBP/JPY 211.402 JPY @1788523800000 unknown derived\n"
                "EUR/CHF not_found",
     .verdict = "ok"},
    {.what = "v1-latest-eur-usd.json", .symbols = "EUR/USD",
     .answers = "EUR/USD no_data", .verdict = "ok"},
    {.what = "v2-error-422-invalid-currency.json", .symbols = "EUR/ZZZ", .status = 422,
     .answers = "EUR/ZZZ not_found", .verdict = "ok"},
    {.what = "v2-rates-eur-usd.json", .symbols = "EUR/USD",
     .answers = "EUR/USD no_data", .verdict = "ok"},
};

static const struct reply_case eia_rows[] = {
    {.what = "error-403-api-key-missing.json", .symbols = "RWTC", .status = 403,
     .answers = "RWTC auth", .verdict = "auth"},
    {.what = "natural-gas-futures-weekly.json", .symbols = "RNGC4",
     .answers = "RNGC4 1.869 USD @756734400000 unknown"
                " | series=RNGC4 period=1993-12-24 value=1.869 $/MMBTU", .verdict = "ok"},
    /* seven years old by then */
    {.what = "petroleum-spot-rwtc-weekly.json", .symbols = "RWTC",
     .answers = "RWTC no_data", .verdict = "ok"},
};

static const struct reply_case oanda_rows[] = {
    /* of another address: there is no book in candles */
    {.what = "candles.json", .symbols = "DE30_EUR",
     .answers = "DE30_EUR bad_schema", .verdict = "bad_schema"},
    /* the stream is many objects, one a line */
    {.what = "pricing-stream.ndjson.txt", .symbols = "EUR_USD",
     .answers = "EUR_USD bad_schema", .verdict = "bad_schema"},
    {.what = "pricing-two-instruments.json", .symbols = "EUR_USD,EUR_JPY",
     .answers = "EUR_USD 1.121635 USD @1475645296729 open bid=1.12157 ask=1.12170\n"
                "EUR_JPY 115.3375 JPY @1475645295621 open bid=115.329 ask=115.346",
     .verdict = "ok"},
};

static const struct reply_case coinbase_rows[] = {
    /* candles of a day: the time of its beginning */
    {.what = "exchange-candles-btc-1d.json", .symbols = "BTC-EUR",
     .answers = "BTC-EUR 32120.19 EUR @1609977600000 unknown open=29818.73 high=32900 low=29516.98 "
                "volume=5957.46980324",
     .verdict = "ok"},
    {.what = "exchange-candles-sparse.json", .symbols = "BTC-EUR",
     .answers = "BTC-EUR 32120.19 EUR @1609977600000 unknown open=29818.73 high=32900 low=29516.98 "
                "volume=5957.46980324",
     .verdict = "ok"},
    {.what = "exchange-error-404.json", .symbols = "BTC-XXX", .status = 404,
     .answers = "BTC-XXX not_found", .verdict = "ok"},
    /* ten a second: some seconds */
    {.what = "exchange-error-429.json", .symbols = "BTC-USD", .status = 429,
     .answers = "BTC-USD rate_limited", .verdict = "rate_limited cooldown=10000"},
    /* what there is, and no price */
    {.what = "exchange-products.json", .symbols = "BTC-EUR",
     .answers = "BTC-EUR bad_schema", .verdict = "bad_schema"},
    /* a price without its time */
    {.what = "v2-prices-spot-eth.json", .symbols = "ETH-USD",
     .answers = "ETH-USD bad_schema", .verdict = "bad_schema"},
};

static const struct reply_case finnhub_rows[] = {
    {.what = "error-429-limit.json", .symbols = "AAPL", .status = 429,
     .answers = "AAPL rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "quote-unknown-symbol-zeros.json", .symbols = "NOPE",
     .answers = "NOPE no_data", .verdict = "ok"},
    /* frames of the socket */
    {.what = "ws-error-too-many-symbols.json", .symbols = "AAPL",
     .answers = "AAPL rate_limited", .verdict = "rate_limited cooldown=70000"},
    {.what = "ws-ping.json", .symbols = "AAPL",
     .answers = "AAPL bad_schema", .verdict = "bad_schema"},
    {.what = "ws-trade.json", .symbols = "BINANCE:BTCUSDT",
     .answers = "BINANCE:BTCUSDT 66972.77 - @1721555886208 unknown", .verdict = "ok"},
};

static const struct reply_case alphavantage_rows[] = {
    {.what = "burst-information-200.json", .symbols = "IBM",
     .answers = "IBM rate_limited", .verdict = "rate_limited cooldown=5000"},
    {.what = "currency-exchange-rate.json", .symbols = "BTC/CNY",
     .answers = "BTC/CNY 109631.43060700 CNY @1513797801000 unknown", .verdict = "ok"},
    {.what = "digital-btc-aud-daily.json", .symbols = "BTC/AUD",
     .answers = "BTC/AUD 54397.30924680 AUD @1610193600000 unknown open=55074.06950240 "
                "high=56150.17720000 low=52540.71680000 volume=75785.97967500",
     .verdict = "ok"},
    {.what = "fx-daily-eur-aud.json", .symbols = "EUR/AUD",
     .answers = "EUR/AUD 1.57823 AUD @1610366400000 unknown open=1.57496 high=1.58318 low=1.57290",
     .verdict = "ok"},
    /* the close of that day in New York */
    {.what = "global-quote.json", .symbols = "MSFT",
     .answers = "MSFT 112.1300 - @1538769600000 unknown prev=112.7900 open=112.6300 high=113.1700 "
                "low=110.6400 volume=29062853",
     .verdict = "ok"},
    {.what = "premium-endpoint-information-200.json", .symbols = "IBM",
     .answers = "IBM auth", .verdict = "auth cooldown=3600000"},
    {.what = "rate-limit-information-200.json", .symbols = "IBM",
     .answers = "IBM rate_limited", .verdict = "rate_limited cooldown=-1"},
    /* names, no prices */
    {.what = "symbol-search-ibm.json", .symbols = "IBM",
     .answers = "IBM bad_schema", .verdict = "bad_schema"},
    {.what = "time-series-daily-adjusted-ibm.json", .symbols = "IBM",
     .answers = "IBM 128.58 - @1610398800000 unknown open=127.95 high=129.675 low=127.66 "
                "volume=5602466",
     .verdict = "ok"},
    {.what = "time-series-daily-ibm.json", .symbols = "IBM",
     .answers = "IBM 128.58 - @1610398800000 unknown open=127.95 high=129.675 low=127.66",
     .verdict = "ok"},
    /* New York's time, to the minute */
    {.what = "time-series-intraday.json", .symbols = "MSFT",
     .answers = "MSFT 86.5000 - @1513626960000 unknown open=86.4900 high=86.5000 low=86.4750 "
                "volume=10494",
     .verdict = "ok"},
};

static const struct reply_case nasdaqdatalink_rows[] = {
    {.what = "dataset-brent-2016.json", .symbols = "EIA/PET_RBRTE_D",
     .answers = "EIA/PET_RBRTE_D 53.53 - @1482148800000 unknown prev=54.15"
                " | series=EIA/PET_RBRTE_D period=2016-12-19 value=53.53", .verdict = "ok"},
    {.what = "dataset-empty-data.json", .symbols = "EIA/PET_RBRTE_D",
     .answers = "EIA/PET_RBRTE_D no_data", .verdict = "ok"},
    {.what = "error-403-qepx04.json", .symbols = "EIA/PET_RBRTE_D", .status = 403,
     .answers = "EIA/PET_RBRTE_D auth", .verdict = "auth"},
    /* the day is used up */
    {.what = "error-429-qelx01.json", .symbols = "EIA/PET_RBRTE_D", .status = 429,
     .answers = "EIA/PET_RBRTE_D rate_limited", .verdict = "rate_limited cooldown=-1"},
};

static const struct reply_case openmeteo_rows[] = {
    {.what = "current-fahrenheit.json", .symbols = "32.4,-96.84;",
     .answers = "32.4,-96.84 @1713908700000 | temperature_2m=71.7 °F weather_code=1 wmo code "
                "text=mainly clear",
     .verdict = "ok"},
    /* 06:45 in Moscow */
    {.what = "current-local-timezone.json", .symbols = "55.75,37.62;",
     .answers = "55.75,37.62 @1766634300000 | temperature_2m=-4.1 °C relative_humidity_2m=93 % "
                "precipitation=0 mm wind_speed_10m=7.6 km/h wind_gusts_10m=20.5 km/h",
     .verdict = "ok"},
    {.what = "denver-current-2026.json", .symbols = "39.74,-104.99;",
     .answers = "39.74,-104.99 @1790377200000 | temperature_2m=16.7 °C relative_humidity_2m=72 % "
                "wind_speed_10m=3.74 m/s",
     .verdict = "ok"},
    {.what = "error-400-latitude.json", .symbols = "0,0;", .status = 400,
     .answers = "0,0 bad_schema", .verdict = "bad_schema"},
    {.what = "error-429-daily.json", .symbols = "0,0;", .status = 429,
     .answers = "0,0 rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "error-429-minutely.json", .symbols = "0,0;", .status = 429,
     .answers = "0,0 rate_limited", .verdict = "rate_limited cooldown=65000"},
    {.what = "forecast-current-hourly-daily.json", .symbols = "52.52,13.41;",
     .answers = "52.52,13.41 @1699872300000 | weather_code=3 wmo code text=overcast",
     .verdict = "ok"},
    {.what = "forecast-customer-api.json", .symbols = "52.52,13.41;",
     .answers = "52.52,13.41 @1706085000000 | weather_code=80 wmo code text=slight rain showers",
     .verdict = "ok"},
    /* no current weather was asked for */
    {.what = "forecast-minimal-no-current.json", .symbols = "52.27,6.88;",
     .answers = "52.27,6.88 bad_schema", .verdict = "bad_schema"},
    {.what = "forecast-multi-models.json", .symbols = "52.52,13.41;",
     .answers = "52.52,13.41 @1699872300000 | weather_code=3 wmo code text=overcast",
     .verdict = "ok"},
    {.what = "forecast-one-model.json", .symbols = "52.52,13.41;",
     .answers = "52.52,13.41 @1699872300000 | weather_code=3 wmo code text=overcast",
     .verdict = "ok"},
    /* names of places, no weather */
    {.what = "geocoding-search.json", .symbols = "34.1,-118.3;",
     .answers = "34.1,-118.3 bad_schema", .verdict = "bad_schema"},
    {.what = "not-covered-nan-invalid-json.txt", .symbols = "0,0;",
     .answers = "0,0 no_data", .verdict = "ok"},
};

/* neither was asked for a report: words alone */
static const struct reply_case perplexity_rows[] = {
    {.what = "sonar-live-usage.json", .symbols = "cajamarca",
     .answers = "cajamarca bad_schema", .verdict = "bad_schema"},
    {.what = "sonar-text-with-citations.json", .symbols = "news/coffee",
     .answers = "news/coffee bad_schema", .verdict = "bad_schema"},
};

static const struct reply_case stooq_rows[] = {
    {.what = "apikey-page-200.txt", .symbols = "kc.f",
     .answers = "kc.f blocked", .verdict = "blocked cooldown=86400000"},
    {.what = "browser-challenge-200.html.txt", .symbols = "kc.f",
     .answers = "kc.f blocked", .verdict = "blocked cooldown=86400000"},
    {.what = "daily-hits-limit.txt", .symbols = "kc.f",
     .answers = "kc.f rate_limited", .verdict = "rate_limited cooldown=-1"},
    {.what = "quote-kcf-default-fields.csv", .symbols = "kc.f",
     .answers = "kc.f 317.17 USX @1774455408000 unknown open=317.4 high=318.68 low=311.5",
     .verdict = "ok"},
    {.what = "quote-unknown-nd.csv", .symbols = "appl.us",
     .answers = "appl.us not_found", .verdict = "ok"},
};

static const struct reply_case worldbank_rows[] = {
    {.what = "error-200-invalid-value.json", .symbols = "ZZ/NY.GDP.MKTP.CD",
     .answers = "ZZ/NY.GDP.MKTP.CD not_found", .verdict = "ok"},
    /* rows of other countries among them */
    {.what = "indicator-gdp-with-null.json", .symbols = "MX/NY.GDP.MKTP.CD",
     .answers = "MX/NY.GDP.MKTP.CD @1767225599000 | region=Mexico series=NY.GDP.MKTP.CD "
                "period=2025 value=1832641364775.52 current US$ text=GDP (current US$)",
     .verdict = "ok"},
};
/* Of services that have no provider here: every parser must refuse them. */
static const struct reply_case bankofcanada_rows[] = {{.what = "recent.json"}};
static const struct reply_case openexchangerates_rows[] = {{.what = "error-invalid-appid.json"}};
/* clang-format on */

#define ROWS(rows) rows, ARRAY_LEN(rows)
static const struct folder {
    const char *provider; /* NULL: there is none */
    const char *name;     /* of the folder, when it is not the provider's */
    const struct reply_case *rows;
    size_t n;
    int64_t now_ms; /* when the recordings were fresh */
} folders[] = {
    {"alphavantage",   NULL,                ROWS(alphavantage_rows),      MARKETS_OPEN_MS},
    {"coinbase",       NULL,                ROWS(coinbase_rows),          MARKETS_OPEN_MS},
    {"ecb",            NULL,                ROWS(ecb_rows),               1719482400000  }, /* 2024-06-27 */
    {"eia",            NULL,                ROWS(eia_rows),               757051200000   }, /* 1993-12-28 */
    {"exchangerate",   "exchangerateapi",   ROWS(exchangerate_rows),      1757494800000  }, /* 2025-09-10 */
    {"finnhub",        NULL,                ROWS(finnhub_rows),           MARKETS_OPEN_MS},
    {"frankfurter",    NULL,                ROWS(frankfurter_rows),       1788562500000  }, /* 2026-09-04 */
    {"fred",           NULL,                ROWS(fred_rows),              1773655200000  }, /* 2026-03-16 */
    {"nasdaqdatalink", NULL,                ROWS(nasdaqdatalink_rows),    1482314400000  }, /* 2016-12-21 */
    {"oanda",          NULL,                ROWS(oanda_rows),             1475645300000  }, /* 2016-10-05 */
    {"openmeteo",      NULL,                ROWS(openmeteo_rows),         1790377500000  }, /* 2026-09-25 */
    {"perplexity",     NULL,                ROWS(perplexity_rows),        1788310860000  }, /* 2026-09-02 */
    {"stooq",          NULL,                ROWS(stooq_rows),             1774468800000  }, /* 2026-03-25 */
    {"twelvedata",     NULL,                ROWS(twelvedata_rows),        MARKETS_OPEN_MS},
    {"worldbank",      NULL,                ROWS(worldbank_rows),         1784000000000  }, /* 2026-07-14 */
    {"yahoo",          NULL,                ROWS(yahoo_rows),             MARKETS_OPEN_MS},
    {NULL,             "bankofcanada",      ROWS(bankofcanada_rows),      MARKETS_OPEN_MS},
    {NULL,             "openexchangerates", ROWS(openexchangerates_rows), MARKETS_OPEN_MS},
};

static const char *name_of(const struct folder *f)
{
    return f->name ? f->name : f->provider;
}

static char *recordings(void)
{
    static char beside[] = SOURCE_DIR "/../shared/payloads";
    char *path = getenv("PRICEGATE_PAYLOADS");
    struct stat st;
    if (!path)
        path = beside;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? path : NULL;
}

static const struct reply_case *row_of(const struct folder *f, const char *file)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->rows[i].what, file) == 0)
            return &f->rows[i];
    return NULL;
}

/* Each file has a row. Returns how many have not. */
static size_t count_unlisted(const struct folder *f, const char *path)
{
    size_t bad = 0;
    DIR *dir = opendir(path);
    if (!dir)
        fail_msg("no folder %s", path);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (e->d_name[0] == '.' || row_of(f, e->d_name))
            continue;
        print_error("%s/%s has no row in the table\n", path, e->d_name);
        bad++;
    }
    closedir(dir);
    return bad;
}

/* Each folder is in the table. Returns how many are not. */
static size_t count_folders_unlisted(const char *root)
{
    size_t bad = 0;
    DIR *dir = opendir(root);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        bool listed = e->d_name[0] == '.' || strchr(e->d_name, '.'); /* SOURCES.md */
        for (size_t i = 0; !listed && i < ARRAY_LEN(folders); i++)
            listed = strcmp(name_of(&folders[i]), e->d_name) == 0;
        if (!listed)
            print_error("%s/%s is not in the table\n", root, e->d_name);
        bad += !listed;
    }
    closedir(dir);
    return bad;
}

/* The file of a row, to be freed; NULL after saying so when there is none. */
static char *read_row(const char *root, const struct folder *f, const struct reply_case *row,
                      size_t *len)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", root, name_of(f), row->what);
    char *text = reply_read_file(path, len);
    if (!text)
        print_error("%s: a row without its file\n", path);
    return text;
}

static void test_every_file_is_listed(void **state)
{
    const char *root = *state;
    size_t bad = count_folders_unlisted(root);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", root, name_of(&folders[i]));
        bad += count_unlisted(&folders[i], path);
    }
    if (bad)
        fail_msg("%zu recorded replies are not in the table", bad);
}

static void test_recordings(void **state)
{
    const char *root = *state;
    size_t bad = 0, read = 0;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        const struct folder *f = &folders[i];
        for (size_t k = 0; f->provider && k < f->n; k++) {
            size_t len = 0;
            char *text = read_row(root, f, &f->rows[k], &len);
            bad += !text ||
                   !reply_case_holds(provider_find(f->provider), &f->rows[k], text, len, f->now_ms);
            free(text);
            read++;
        }
    }
    print_message("%zu recorded replies read\n", read);
    if (bad)
        fail_msg("%zu recorded replies are missing or were not read as the table says", bad);
}

/* Does this parser make anything of the reply of another one? It is asked for the same symbol where
 * it can be. */
static bool takes(const struct folder *f, const struct reply_case *row, const char *text,
                  size_t len, int64_t now_ms)
{
    const struct provider *p = provider_find(f->provider);
    bool same = row->symbols && !p->rule.symbol_problem(row->symbols);
    const struct reply_case c = {.what = row->what,
                                 .symbols = same ? row->symbols : f->rows[0].symbols};
    struct buf answers = {0}, verdict = {0};
    reply_parse(p, &c, text, len, now_ms, &answers, &verdict);
    bool taken = strchr(answers.p, '@') != NULL;
    if (taken)
        print_error("%s takes %s for its own: %s", f->provider, row->what, answers.p);
    buf_fini(&answers);
    buf_fini(&verdict);
    return taken;
}

/* A proxy that mixes up its upstreams, a base_url of another service: no price comes of it. */
static void test_replies_of_others(void **state)
{
    const char *root = *state;
    size_t bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        for (size_t k = 0; k < folders[i].n; k++) {
            size_t len = 0;
            char *text = read_row(root, &folders[i], &folders[i].rows[k], &len);
            bad += !text;
            for (size_t j = 0; text && j < ARRAY_LEN(folders); j++)
                if (j != i && folders[j].provider)
                    bad += takes(&folders[j], &folders[i].rows[k], text, len, folders[i].now_ms);
            free(text);
        }
    }
    if (bad)
        fail_msg("%zu replies were taken for another provider's", bad);
}

int main(void)
{
    char *root = recordings();
    if (!root) {
        print_message("no folder of recorded replies: nothing to test\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_every_file_is_listed, root),
        cmocka_unit_test_prestate(test_recordings, root),
        cmocka_unit_test_prestate(test_replies_of_others, root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
