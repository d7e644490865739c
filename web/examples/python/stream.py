#!/usr/bin/env python3
"""Live prices over Server-Sent Events, with nothing but Python's own library:

    python3 stream.py coffee EUR/USD

PRICEGATE is the gateway's address, TOKEN a token if it wants one. Prices stay exact (Decimal)."""
import http.client, json, os, random, sys, time, urllib.error, urllib.parse, urllib.request
from decimal import Decimal

GATEWAY = os.environ.get("PRICEGATE", "http://127.0.0.1:8080")
SILENCE_S = 50  # the gateway says something every 20 s, if only ":"
quotes = {}  # symbol -> its newest quote


def show(symbol, state, why=""):
    q = quotes.get(symbol)
    if not q:
        print(f"{symbol}: no price, {state} {why}", flush=True)
        return
    source = q.get("source", "?") + (" (fallback)" if q.get("fallback") else "")
    age_s = time.time() - q["recv"] / 1000
    words = [symbol, str(q["price"]), q.get("unit", ""), state, why, source, f"{age_s:.1f} s old"]
    print(*filter(None, words), flush=True)


def events(request):
    with urllib.request.urlopen(request, timeout=SILENCE_S) as lines:
        event = {}
        for line in lines:
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name:  # an item of another program may fill several data lines
                event[name] = event["data"] + "\n" + value if name == "data" and name in event else value
            elif "data" in event:  # an empty line ends the event
                yield event["event"], event["id"], json.loads(event["data"], parse_float=Decimal)
                event = {}


symbols = sys.argv[1:] or ["coffee"]
url = f"{GATEWAY}/api/v1/stream?" + urllib.parse.urlencode({"symbols": ",".join(symbols)})
headers = {"Authorization": "Bearer " + os.environ["TOKEN"]} if "TOKEN" in os.environ else {}
attempt = 0
while True:
    why = "the gateway closed the line"
    try:
        for kind, headers["Last-Event-ID"], data in events(urllib.request.Request(url, headers=headers)):
            attempt = 0
            if kind == "observation":
                continue  # a pattern may match some; they have no price
            if kind == "quote":
                data.setdefault("recv", time.time() * 1000)
                quotes[data["symbol"]] = data
            show(data["symbol"], data.get("state", "live"), data.get("reason", ""))
    except urllib.error.HTTPError as error:
        why = json.loads(error.read()).get("detail", error.reason)
        if error.code not in (429, 503):  # a wrong symbol or token: trying again will not help
            sys.exit(f"{error.code}: {why}")
    except (OSError, http.client.HTTPException) as error:
        why = error
    wait_s = random.uniform(0, min(30, 2**attempt))
    attempt += 1
    print(f"not connected ({why}): nothing above is live any more; trying again in {wait_s:.1f} s", flush=True)
    time.sleep(wait_s)
