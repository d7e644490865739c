#!/usr/bin/env bash
# Live prices by curl, over Server-Sent Events:   ./stream.sh coffee EUR/USD
# PRICEGATE is the gateway's address, TOKEN a token if it wants one.
. "$(dirname "$0")/show.sh"

gateway=${PRICEGATE:-http://127.0.0.1:8080}
symbols=$(IFS=, && echo "${*:-coffee}")
silence_s=50 # the gateway says something every 20 s, if only ":"

while true; do
  exec 3< <(exec curl -sSN -G ${TOKEN:+-H "Authorization: Bearer $TOKEN"} \
    --data-urlencode "symbols=$symbols" "$gateway/api/v1/stream" 2>&1)
  curl=$!
  while IFS= read -r -t "$silence_s" -u 3 line; do
    case $line in
      data:*) show "${line#data: }" ;;
      curl:*) echo "$line" >&2 ;;
    esac
  done
  # A refusal is one line of JSON without a line break: a wrong symbol or token, which trying again does not help.
  case $line in '{'*'"status":4'*) echo "$line" >&2; exit 1 ;; esac
  kill "$curl" 2>/dev/null
  echo "not connected: nothing above is live any more"
  sleep "$((RANDOM % 4 + 1))"
done
