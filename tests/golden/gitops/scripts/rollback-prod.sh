#!/usr/bin/env bash
# Managed: generated, so change services.yaml or the stack files instead.
# Puts a safe environment back to a version that it ran before; see --help.

set -euo pipefail
SCRIPTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
source "$SCRIPTS/lib/release.bash"

usage() {
  cat <<'END'
Usage: scripts/rollback-prod.sh                                  list where each service would go
       scripts/rollback-prod.sh --service NAME...                back to the version before
       scripts/rollback-prod.sh VERSION [--service NAME]...      back to VERSION

A VERSION without --service means every service that ran it. Going back twice goes back two
versions: what was rolled back does not become the way back.

  --service NAME       only this service; may be repeated
  --environment NAME   the environment (prod, unless there is no such environment)
  --dry-run            show the difference and stop
  --yes                do not ask
  --offline            do not ask the registry
  --help

Versions and digests come from Git. The registry is asked whether it still has them; when it cannot
be reached, that is said and the rollback goes on. Argo CD deploys nothing until somebody approves
the sync.

END
  exit_codes
}

VERSION='' NAMES=() ENVIRONMENT='' DRY_RUN='' YES='' OFFLINE=''

read_arguments() {
  while (($#)); do
    if [[ $1 == --*=* ]]; then set -- "${1%%=*}" "${1#*=}" "${@:2}"; fi
    case $1 in
      --service | --environment)
        [[ $# -gt 1 && $2 != -* ]] || die "$USAGE" "$1 needs a value" "see --help"
        if [[ $1 == --service ]]; then NAMES+=("$2"); else ENVIRONMENT=$2; fi
        shift
        ;;
      --dry-run) DRY_RUN=yes ;;
      --yes) YES=yes ;;
      --offline) OFFLINE=yes ;;
      --help | -h)
        usage
        exit
        ;;
      -*) die "$USAGE" "$(printf 'unknown option: %q' "$1")" "see --help" ;;
      *)
        require_version "$1"
        [[ -z $VERSION || $VERSION == "$1" ]] || die "$USAGE" "one version at a time: $VERSION or $1"
        VERSION=$1
        ;;
    esac
    shift
  done
}

# ways_back: "service, packaging, running, version, digest, subject" for each of $WORK/selected: the version
# that it would go back to, which is empty when there is none. Releases pile up, a rollback takes
# those above its version off the pile: so the way back is what lies below the top.
ways_back() {
  awk -F '\t' -v OFS='\t' -v target="$ENVIRONMENT" -v wanted="$VERSION" '
    part == "selected" { selected[$1] = 1; order[++services] = $1; next }
    part == "state" { if ($1 == target && $2 in selected) { packaging[$2] = $3; running[$2] = $4 } next }
    part == "events" {
      if ($4 != target || !($5 in selected) || $6 == "none") next
      n = ++count[$5]; version[$5, n] = $6; digest[$5, n] = $7; kind[$5, n] = $9
      if ($9 != "edit" && !(($5, $6) in subject)) subject[$5, $6] = $12
      next
    }
    END {
      for (i = 1; i <= services; i++) {
        s = order[i]; height = 0; named = ""
        for (n = count[s]; n >= 1; n--) {
          v = version[s, n]; at = 0
          if (v == wanted && digest[s, n] != "") named = digest[s, n]
          if (v == wanted) ran[s] = 1
          if (kind[s, n] == "rollback")
            for (at = height; at >= 1 && pile[at] != v; at--);
          height = at >= 1 ? at : (height >= 1 && pile[height] == v ? height : height + 1)
          pile[height] = v; pile_digest[height] = digest[s, n]
        }
        for (top = height; top >= 1 && pile[top] == running[s]; top--);
        if (wanted != "") to = s in ran ? wanted : ""; else to = top >= 1 ? pile[top] : ""
        print s, packaging[s], running[s] == "" ? "none" : running[s], to, \
          wanted != "" ? named : (top >= 1 ? pile_digest[top] : ""), subject[s, to]
      }
    }' part=selected "$WORK/selected" part=state "$WORK/state" part=events "$WORK/events"
}

list() {
  tip_or_last_known
  read_state
  select_services "$ENVIRONMENT"
  printf '%s\n' "${SERVICES[@]}" >"$WORK/selected"
  read_events ":(glob)environments/$ENVIRONMENT/*/*/version/*"
  ways_back | awk -F '\t' -v environment="$ENVIRONMENT" '
    BEGIN { format = "%-40s %-18s %s\n"; printf format, "SERVICE", "RUNS", "WOULD GO BACK TO" }
    { printf format, $1, $3, $4 == "" ? "-" : $4 }
    END { print "\nto go back: scripts/rollback-prod.sh --service NAME [VERSION]" }'
}

make_plan() {
  local service paths=()
  select_services "$ENVIRONMENT" "${NAMES[@]}"
  printf '%s\n' "${SERVICES[@]}" >"$WORK/selected"
  for service in "${NAMES[@]:+${SERVICES[@]}}"; do
    paths+=(":(glob)environments/$ENVIRONMENT/$service/version/*")
  done
  ((${#paths[@]})) || paths=(":(glob)environments/$ENVIRONMENT/*/*/version/*")
  read_events "${paths[@]}"
  ways_back | awk -F '\t' -v OFS='\t' -v named="${#NAMES[@]}" \
    '$4 == "" && !named { next } $3 != $4 || $4 == ""' >"$WORK/ways"
  if [[ -n $VERSION && ${#NAMES[@]} -eq 0 && ! -s $WORK/ways ]]; then
    cut -f 4,6 "$WORK/events" | grep -qxF "$ENVIRONMENT"$'\t'"$VERSION" ||
      die "$UNVERIFIED" "$ENVIRONMENT never ran $VERSION" \
        "what it ran: scripts/history.sh --environment $ENVIRONMENT"
  fi
  : >"$WORK/registry"
  if [[ -z $OFFLINE && -s $WORK/ways ]]; then
    mapfile -t SERVICES < <(cut -f 1 "$WORK/ways")
    registry_answered "${SERVICES[@]}" || warn "going on with the digests that Git records"
  fi
  : >"$WORK/problems"
  resolve
  report_problems
}

# resolve: from the ways back to $WORK/plan, or to $WORK/problems.
resolve() {
  [[ -e $WORK/unanswered && -z $OFFLINE ]] || : >"$WORK/unanswered"
  awk -F '\t' -v OFS='\t' -v target="$ENVIRONMENT" -v offline="$OFFLINE" -v wanted="$VERSION" \
    -v problems="$WORK/problems" '
    part == "unanswered" { silent[$1] = 1; next }
    part == "registry" {
      n = split($4, tags, ",")
      for (i = 1; i <= n; i++) now[$1, tags[i]] = $2
      next
    }
    $4 == "" && wanted != "" {
      print $1 ": " target " never ran " wanted "; new versions come by scripts/promote-to-prod.sh" > problems
      next
    }
    $4 == "" { print $1 ": there is no version before " $3 " to go back to" > problems; next }
    {
      digest = $5; checked = !(offline || $1 in silent)
      if (digest == "" && checked) digest = now[$1, $4]
      if (checked && !(($1, $4) in now))
        print $1 ": the registry no longer has " $4 "; choose an older or newer version" > problems
      else if (digest == "")
        print $1 ": Git does not record the digest of " $4 ", and the registry was not asked" > problems
      else if (checked && now[$1, $4] != digest)
        print $1 ": " $4 " moved: " target " ran " digest ", the registry now has " now[$1, $4] > problems
      else print $1, $2, $3, $4, digest, "", $6
    }' part=unanswered "$WORK/unanswered" part=registry "$WORK/registry" part=ways "$WORK/ways" \
    >"$WORK/plan"
}

read_arguments "$@"
begin
[[ -n $ENVIRONMENT ]] || ENVIRONMENT=${SAFE_ENVIRONMENTS%% *}
require_environment "$ENVIRONMENT"
if [[ -z $VERSION && ${#NAMES[@]} -eq 0 ]]; then
  list
  exit
fi
require_consent
refuse_unfinished_work
require_identity
release "Roll $ENVIRONMENT back?" "$ENVIRONMENT" rollback make_plan
follow_origin
say "${GREEN}rolled back${PLAIN}: commit ${COMMIT:0:10} is on origin's $BRANCH"
say "now approve the sync in Argo CD of $ENVIRONMENT"
