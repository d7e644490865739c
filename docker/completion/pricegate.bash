# bash completion for pricegate(1); needs nothing but bash. Installed as
# share/bash-completion/completions/pricegate, where bash-completion finds it; or `source` it.

_pricegate() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=run words option

  # bash cuts --config=FILE in three.
  case $cur,$prev in
    =,*) cur= ;;
    *,=) prev=${COMP_WORDS[COMP_CWORD - 2]} ;;
  esac
  COMPREPLY=()
  case $prev in
    --config | --private-key)
      compopt -o filenames 2>/dev/null # spaces escaped, a / behind folders
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    --log-level) words='error warn info debug' ;;
    --provider)
      words='alphavantage coinbase ecb eia exchangerate finnhub frankfurter fred ico nasdaqdatalink oanda
        openmeteo perplexity sim stooq twelvedata worldbank yahoo'
      ;;
    --role) words='viewer analyst admin' ;;
    --port | --symbols | --token | --ttl | --url) return ;;
  esac
  if [[ ! $words ]]; then
    [[ $COMP_CWORD = 1 || ${COMP_WORDS[1]} = -* ]] || command=${COMP_WORDS[1]}
    case $command in
      run) words='--config --port --log-level --demo' ;;
      check) words='--config' ;;
      doctor) words='--config --providers --json' ;;
      fetch) words='--all --provider --config' ;;
      key) words='--role --symbols' ;;
      notify) words='--config' ;;
      plan) words='--config --json' ;;
      status) words='--watch --config --url --token' ;;
      token) words='--role --symbols --ttl --private-key --config' ;;
      watch) words='--url --token --config' ;;
    esac
    # What is given already is not offered again.
    for option in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
      [[ $option = --* ]] && words=" $words " && words=${words/ $option / }
    done
    [[ $COMP_CWORD != 1 ]] || words+=' run check doctor fetch key notify plan status token watch --version --help'
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _pricegate pricegate
