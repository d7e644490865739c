#!/usr/bin/env bash
# Live prices by websocat (https://github.com/vi/websocat), over a WebSocket:   ./websocat.sh coffee 'EUR/*'
# PRICEGATE is the gateway's address, TOKEN a token if it wants one.
. "$(dirname "$0")/show.sh"

gateway=${PRICEGATE:-http://127.0.0.1:8080}
list=$(printf ',"%s"' "${@:-coffee}")

while true; do
  # --no-close: stay when the one message has been sent. The pings notice a dead line.
  websocat --text --no-close --ping-interval 20 --ping-timeout 50 ${TOKEN:+-H="Authorization: Bearer $TOKEN"} \
    "ws${gateway#http}/ws" <<<"{\"action\":\"subscribe\",\"symbols\":[${list#,}]}" | while IFS= read -r message; do
    case $message in
      '{"type":"quote"'* | '{"type":"status"'*)
        while IFS= read -r item; do show "$item"; done < <(grep -o '{"symbol":[^}]*}' <<<"$message") ;;
      '{"type":"error"'* | *'"rejected":[{'* | '{"type":"goaway"'*) echo "$message" >&2 ;;
    esac
  done
  echo "not connected: nothing above is live any more"
  sleep "$((RANDOM % 4 + 1))"
done
