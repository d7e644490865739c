# show.sh - what the scripts beside it share: a quote or a status as one line, its digits as they came
# (jq before 1.7 makes 150.1 out of 150.10). Good for pricegate's own items, which are flat and in one line.

show() { # ITEM [REMARK]
  local name line=
  for name in symbol price unit state reason source; do
    [[ $1 =~ \"$name\":\"?([^,\"}]*) ]] && line+="${BASH_REMATCH[1]} "
  done
  [[ $1 =~ \"fallback\":true ]] && line+="(fallback) "
  [[ $1 =~ \"recv\":([0-9]+) ]] && line+="$((EPOCHSECONDS - BASH_REMATCH[1] / 1000)) s old "
  echo "$line${2-}"
}
