# Managed: generated, so change services.yaml or the stack files instead.
# Speaking to the person at the keyboard: messages, questions, exit codes.
# shellcheck shell=bash disable=SC2034 # what is set here is read by the scripts

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
  echo "error: bash 4.4 or newer is needed, this is $BASH_VERSION" >&2
  exit 3
fi
export LC_ALL=C
readonly DECLINED=1 USAGE=2 PRECONDITION=3 UNVERIFIED=4 REMOTE=5 FAULT=70 INTERRUPTED=130
ENDED=

# The exit codes of every release script, for its --help.
exit_codes() {
  cat <<'END'
Exit codes:
  0    done, or nothing to do
  1    not confirmed: declined, or no terminal to ask on and no --yes
  2    wrong arguments, or a service that does not exist
  3    this machine or this clone is not ready (dirty tree, missing kustomize, ...)
  4    the version cannot be released (unknown, moved, never ran on the fast environment, ...)
  5    the Git remote or the registry refused, or cannot be reached
  70   a fault in the script itself
  130  interrupted
END
}

if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  readonly BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' PLAIN=$'\e[0m' COLOUR=always
else
  readonly BOLD='' DIM='' GREEN='' PLAIN='' COLOUR=never
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# die CODE MESSAGE [LINE]...: the message, what to do about it, and the end.
die() {
  local code=$1 line
  ENDED=yes
  printf 'error: %s\n' "$2" >&2
  for line in "${@:3}"; do printf '  %s\n' "$line" >&2; done
  exit "$code"
}

# confirm QUESTION: succeeds on y or yes; anything else, and the end of input, is a no.
confirm() {
  local answer=''
  printf '%s [y/N] ' "$1" >&2
  # In turns of a second: a signal that comes just before `read` begins would otherwise wait for it.
  until read -r -t 1 answer; do
    (($? > 128)) && continue
    printf '\n' >&2
    break
  done
  [[ ${answer,,} == y || ${answer,,} == yes ]]
}

# at_least VERSION MINIMUM: compares the first x.y.z in each.
at_least() {
  [[ $1 =~ ([0-9]+)\.([0-9]+)\.([0-9]+) ]] || return 1
  local have=$((BASH_REMATCH[1] * 1000000 + BASH_REMATCH[2] * 1000 + BASH_REMATCH[3]))
  [[ $2 =~ ([0-9]+)\.([0-9]+)\.([0-9]+) ]]
  ((have >= BASH_REMATCH[1] * 1000000 + BASH_REMATCH[2] * 1000 + BASH_REMATCH[3]))
}

# in_parallel COMMAND...: runs COMMAND with each line of standard input, a few at a time.
in_parallel() {
  local line running=0 limit
  limit=$(getconf _NPROCESSORS_ONLN 2>/dev/null || printf 4)
  while IFS= read -r line; do
    if ((running >= limit * 2)); then
      wait -n || true
      running=$((running - 1))
    fi
    "$@" "$line" </dev/null &
    running=$((running + 1))
  done
  wait
}
