#!/usr/bin/env python3
"""Prices out of Redis, where pricegate puts them: the latest of each, then every update.

    apt install python3-redis      (or: pip install redis)
    python3 redis_prices.py coffee EUR/USD

REDIS_URL is that of pricegate. Prices stay exact (Decimal)."""
import json, os, random, sys, time
from decimal import Decimal

import redis

symbols = sys.argv[1:] or ["coffee"]
store = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"), decode_responses=True)
quotes = {}  # symbol -> its newest quote
gone = set()  # those whose key has expired
looked = 0.0  # when we looked for that


def show(symbol, state, why=""):
    q = quotes.get(symbol, {})
    age = f"{time.time() - q['recv'] / 1000:.1f} s old" if q else "no price"
    words = [symbol, str(q.get("price", "")), q.get("unit", ""), state, why, q.get("source", ""), age]
    print(*filter(None, words), flush=True)


def take(text):
    q = json.loads(text, parse_float=Decimal)
    q.setdefault("recv", q.get("ts", time.time() * 1000))
    held = quotes.get(q["symbol"])
    if held and q.get("ts", 0) < held.get("ts", 0):
        return  # an older price never replaces a newer one
    quotes[q["symbol"]] = q
    gone.discard(q["symbol"])
    show(q["symbol"], q.get("state", "live"))


def look_at_keys():  # a key vanishes when nobody stands behind its price any more, pricegate itself included
    global looked
    if time.monotonic() < looked + 5:
        return
    looked = time.monotonic()
    for symbol in symbols:
        if symbol not in gone and store.ttl(f"{symbol}:price:latest") == -2:
            gone.add(symbol)
            show(symbol, "unavailable", "(no key in Redis)")


while True:
    try:
        with store.pubsub(ignore_subscribe_messages=True) as channels:
            channels.subscribe(*(f"{s}:price:{kind}" for s in symbols for kind in ("stream", "status")))
            for text in filter(None, [store.get(f"{s}:price:latest") for s in symbols]):
                take(text)  # after SUBSCRIBE, so that nothing falls between
            while True:
                message = channels.get_message(timeout=1)
                if message and message["channel"].endswith(":stream"):
                    take(message["data"])
                elif message:
                    status = json.loads(message["data"])
                    show(status["symbol"], status["state"], status.get("reason", ""))
                look_at_keys()
    except redis.RedisError as error:
        print(f"no Redis ({error}): nothing above is live any more", flush=True)
        time.sleep(random.uniform(0.5, 3))
