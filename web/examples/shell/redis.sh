#!/usr/bin/env bash
# Prices out of Redis by redis-cli:   ./redis.sh coffee EUR/USD
# Every update and change of state as it comes, and every 5 s what Redis holds. REDIS_URL is that of pricegate.
. "$(dirname "$0")/show.sh"

symbols=("${@:-coffee}")
redis=(redis-cli -u "${REDIS_URL:-redis://127.0.0.1:6379/0}")

latest() { # a key vanishes when nobody stands behind its price any more, pricegate itself included
  local symbol item
  for symbol in "${symbols[@]}"; do
    item=$("${redis[@]}" GET "$symbol:price:latest") || return
    if [ -n "$item" ]; then show "$item" "(key expires in $("${redis[@]}" TTL "$symbol:price:latest") s)"
    else echo "$symbol unavailable (no key in Redis)"; fi
  done
}

while true; do
  # Three lines each: "message", the channel, the item; or "subscribe", the channel, how many.
  "${redis[@]}" SUBSCRIBE "${symbols[@]/%/:price:stream}" "${symbols[@]/%/:price:status}" | while true; do
    read -r -t 1 kind
    case $? in
      0) read -r && read -r item && [ "$kind" = message ] && show "$item" ;;
      1) break ;; # the connection has ended
    esac
    if ((SECONDS >= next)); then latest && next=$((SECONDS + 5)); fi
  done
  echo "no Redis: nothing above is live any more"
  sleep "$((RANDOM % 3 + 1))"
done
