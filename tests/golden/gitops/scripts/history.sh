#!/usr/bin/env bash
# Managed: generated, so change services.yaml or the stack files instead.
# Who put which version of what where, and when: from Git alone; see --help.

set -euo pipefail
SCRIPTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
source "$SCRIPTS/lib/release.bash"

usage() {
  cat <<'END'
Usage: scripts/history.sh [--service NAME]... [--environment NAME] [--json]

Who put which version of what where, and when, newest first: builds, promotions, rollbacks, and
edits by hand. What Keel delivers does not pass through Git, so its builds are not listed here.

  --service NAME       only this service; may be repeated; also one that no longer exists
  --environment NAME   only this environment
  --limit N            the newest N (50 as a table, all as JSON); 0 for all
  --json               an array of objects: time, environment, service, version, previous, digest,
                       kind (build, promotion, rollback, edit), by, untested, subject, commit
  --help

END
  exit_codes
}

NAMES=() ENVIRONMENT='' JSON='' LIMIT=''

read_arguments() {
  while (($#)); do
    if [[ $1 == --*=* ]]; then set -- "${1%%=*}" "${1#*=}" "${@:2}"; fi
    case $1 in
      --service | --environment | --limit)
        [[ $# -gt 1 && $2 != -* ]] || die "$USAGE" "$1 needs a value" "see --help"
        case $1 in
          --service) NAMES+=("$2") ;;
          --environment) ENVIRONMENT=$2 ;;
          --limit) LIMIT=$2 ;;
        esac
        shift
        ;;
      --json) JSON=yes ;;
      --help | -h)
        usage
        exit
        ;;
      *) die "$USAGE" "$(printf 'unknown argument: %q' "$1")" "see --help" ;;
    esac
    shift
  done
  if [[ -z $LIMIT && -z $JSON ]]; then LIMIT=50; fi
  [[ ${LIMIT:=0} =~ ^[0-9]{1,6}$ ]] || die "$USAGE" "--limit needs a number"
}

# paths: the version files that are asked for, as pathspecs.
paths() {
  local name environment=${ENVIRONMENT:-*}
  ((${#NAMES[@]})) || NAMES=('*/*')
  for name in "${NAMES[@]}"; do
    if [[ $name != */* ]]; then name="*/$name"; fi
    printf '%s\n' ":(glob)environments/$environment/$name/version/*"
  done
}

check_names() {
  local name
  for name in "${NAMES[@]}" "${ENVIRONMENT:-any}"; do
    [[ $name =~ ^[a-z0-9/-]+$ ]] || die "$USAGE" "$(printf 'not a name: %q' "$name")"
  done
  for name in ${ENVIRONMENT:+"$ENVIRONMENT"}; do
    grep -q "^$name"$'\t' "$WORK/state" ||
      die "$USAGE" "no such environment: $name" \
        "environments: $(cut -f 1 "$WORK/state" | sort -u | paste -s -d ' ' -)"
  done
}

print_table() {
  awk -F '\t' -v bold="$BOLD" -v plain="$PLAIN" '
    {
      n = NR; when[n] = $2; sub(/T/, " ", when[n]); sub(/:[0-9][0-9]Z/, "", when[n])
      where[n] = $4; what[n] = $5; version[n] = $6; before[n] = $8
      kind[n] = $9 ($11 == "" ? "" : ", untested"); who[n] = $10; sub(/ <.*/, "", who[n])
      subject[n] = $12
      if (length($4) > e) e = length($4)
      if (length($5) > s) s = length($5)
      if (length(kind[n]) > k) k = length(kind[n])
      if (length(who[n]) > w) w = length(who[n])
    }
    END {
      if (n == 0) { print "nothing was released yet"; exit }
      row = "%-16s  %-" (e > 3 ? e : 3) "s  %-" s "s  %-17s  %-17s  %-" (k > 4 ? k : 4) "s  %-" w "s  %s\n"
      printf bold row plain, "WHEN (UTC)", "ENV", "SERVICE", "VERSION", "BEFORE", "KIND", "BY", "SUBJECT"
      for (i = 1; i <= n; i++)
        printf row, when[i], where[i], what[i], version[i], before[i], kind[i], who[i], subject[i]
    }'
}

print_json() {
  awk -F '\t' '
    function quoted(text) {
      gsub(/\\/, "&&", text); gsub(/"/, "\\\"", text); gsub(/[\001-\037]/, " ", text)
      return "\"" text "\""
    }
    function or_null(text) { return text == "" || text == "none" ? "null" : quoted(text) }
    {
      printf "%s\n  {\"time\": %s, \"environment\": %s, \"service\": %s, \"version\": %s, " \
        "\"previous\": %s, \"digest\": %s, \"kind\": %s, \"by\": %s, \"untested\": %s, " \
        "\"subject\": %s, \"commit\": %s}", NR == 1 ? "[" : ",", quoted($2), quoted($4), quoted($5),
        or_null($6), or_null($8), or_null($7), quoted($9), quoted($10),
        $11 == "" ? "false" : "true", quoted($12), quoted($3)
    }
    END { print NR == 0 ? "[]" : "\n]" }'
}

read_arguments "$@"
begin
tip_or_last_known
read_state
check_names
mapfile -t PATHS < <(paths)
read_events "${PATHS[@]}"
if ((LIMIT)); then
  awk -v n="$LIMIT" 'NR <= n' "$WORK/events" >"$WORK/newest"
else
  mv "$WORK/events" "$WORK/newest"
fi
if [[ -n $JSON ]]; then print_json <"$WORK/newest"; else print_table <"$WORK/newest"; fi
