#!/usr/bin/env bash
# Managed: generated, so change services.yaml or the stack files instead.
# Lists the versions there are, or promotes one to a safe environment; see --help.

set -euo pipefail
SCRIPTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
source "$SCRIPTS/lib/release.bash"
source "$SCRIPTS/lib/listing.bash"

usage() {
  cat <<'END'
Usage: scripts/promote-to-prod.sh [--service NAME]...            list versions, newest first
       scripts/promote-to-prod.sh VERSION [--service NAME]...    promote it
       scripts/promote-to-prod.sh --from-dev [--service NAME]... promote what dev runs, in one commit

A VERSION such as v20250819-f3b8541 without --service means every service that was built as that
version. The difference of the rendered manifests is shown before anything happens; then the
version is committed and pushed. Argo CD deploys nothing until somebody approves the sync.

  --service NAME       only this service; may be repeated
  --from-dev           the versions that the fast environment runs now
  --environment NAME   the environment to promote to (prod, unless there is no such environment)
  --dry-run            show the difference and stop
  --yes                do not ask
  --untested           also a version that never ran on the fast environment; the commit says so
  --offline            do not ask the registry; only versions whose digest Git records
  --limit N            list N versions of each service, 0 for all
  --help

What is checked: the registry has the version, its digest is the one that the fast environment ran,
and the manifests render. A service whose builds are committed ran what Git says. A service that
Keel delivers ran what the moving tag points at now, and what was pushed before that.

END
  exit_codes
}

VERSION='' NAMES=() FROM_DEV='' ENVIRONMENT='' DRY_RUN='' YES='' UNTESTED='' OFFLINE='' LIMIT=''

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
      --from-dev) FROM_DEV=yes ;;
      --dry-run) DRY_RUN=yes ;;
      --yes) YES=yes ;;
      --untested) UNTESTED=yes ;;
      --offline) OFFLINE=yes ;;
      --help | -h)
        usage
        exit
        ;;
      -*) die "$USAGE" "$(printf 'unknown option: %q' "$1")" "see --help" ;;
      *)
        require_version "$1"
        [[ -z $VERSION || $VERSION == "$1" ]] ||
          die "$USAGE" "one version at a time: $VERSION or $1" "services in step: --from-dev"
        VERSION=$1
        ;;
    esac
    shift
  done
  [[ -z $FROM_DEV || -z $VERSION ]] || die "$USAGE" "either a version or --from-dev, not both"
  [[ -z $LIMIT || $LIMIT =~ ^[0-9]{1,6}$ ]] || die "$USAGE" "--limit needs a number"
}

make_plan() {
  local moving=()
  select_services "$ENVIRONMENT" "${NAMES[@]}"
  read_selected_events
  : >"$WORK/registry"
  : >"$WORK/problems"
  mapfile -t moving < <(printf '%s\n' "${SERVICES[@]}" | delivered_by_keel)
  if [[ -n $FROM_DEV ]]; then
    want_what_dev_runs
  elif ((${#NAMES[@]})); then
    printf '%s\n' "${SERVICES[@]}" | awk -v OFS='\t' -v v="$VERSION" '{ print $1, v }' >"$WORK/wanted"
  else
    want_what_has_the_version
  fi
  report_problems
  leave_out_what_runs_already
  if [[ -z $OFFLINE && -s $WORK/wanted ]]; then
    mapfile -t SERVICES < <(cut -f 1 "$WORK/wanted")
    ask_or_end "${SERVICES[@]}"
  fi
  resolve
  report_problems
}

ask_or_end() {
  ask_registry "$@"
  [[ ! -s $WORK/unanswered ]] ||
    die "$REMOTE" "the registry did not answer for $(describe_unanswered)" \
      "nothing was changed; check your AWS credentials (aws sts get-caller-identity)," \
      "or promote by what Git records alone: --offline"
}

# want_what_dev_runs: "service<TAB>version" of what the fast environment runs now.
want_what_dev_runs() {
  if ((${#moving[@]})); then
    [[ -z $OFFLINE ]] ||
      die "$UNVERIFIED" "only the registry knows which version Keel delivered: ${moving[*]:0:5}" \
        "leave out --offline, or name other services"
    ask_or_end "${moving[@]}"
  fi
  printf '%s\n' "${SERVICES[@]}" | awk -F '\t' -v OFS='\t' -v fast="$FAST_ENVIRONMENT" \
    -v named="${#NAMES[@]}" -v problems="$WORK/problems" '
    function is_version(text) { return text ~ /^v[0-9]+-[0-9a-f]+$/ && length(text) == 17 }
    part == "state" { if ($1 == fast) tag[$2] = $4; next }
    part == "registry" {
      n = split($4, tags, ","); found = ""; is_moving = 0
      for (i = 1; i <= n; i++) {
        if (tags[i] == fast) is_moving = 1
        if (is_version(tags[i]) && tags[i] > found) found = tags[i]
      }
      if (is_moving) { behind[$1] = found; pushed[$1] = 1 }
      next
    }
    tag[$1] == fast {
      if (behind[$1] != "") print $1, behind[$1]
      else if ($1 in pushed) print $1 ": the image behind the tag " fast " has no version" > problems
      else if (named) print $1 ": " fast " has not run any version yet" > problems
      next
    }
    is_version(tag[$1]) { print $1, tag[$1]; next }
    tag[$1] != "" { print $1 ": " fast " runs " tag[$1] ", which is not a version" > problems; next }
    named { print $1 ": " fast " has not run any version yet" > problems }
  ' part=state "$WORK/state" part=registry "$WORK/registry" part=wanted - >"$WORK/wanted"
}

# want_what_has_the_version: every service that has VERSION, by Git or by the registry.
want_what_has_the_version() {
  cut -f 5,6 "$WORK/events" | awk -F '\t' -v v="$VERSION" '$2 == v' | sort -u >"$WORK/wanted"
  if ((${#moving[@]} > 16)); then
    note "the registry was not asked about ${#moving[@]} services that Keel delivers: name those you mean"
  elif ((${#moving[@]})) && [[ -z $OFFLINE ]]; then
    ask_or_end "${moving[@]}"
    awk -F '\t' -v OFS='\t' -v v="$VERSION" 'index("," $4 ",", "," v ",") { print $1, v }' \
      "$WORK/registry" >>"$WORK/wanted"
  fi
  sort -u -o "$WORK/wanted" "$WORK/wanted"
  [[ -s $WORK/wanted ]] ||
    die "$UNVERIFIED" "no service has the version $VERSION" \
      "list them: scripts/promote-to-prod.sh; a version that never ran on $FAST_ENVIRONMENT needs --service"
}

# leave_out_what_runs_already: by version, and by digest where Git knows it.
leave_out_what_runs_already() {
  awk -F '\t' -v OFS='\t' -v fast="$FAST_ENVIRONMENT" -v target="$ENVIRONMENT" '
    part == "state" { if ($1 == target) { tag[$2] = $4; digest[$2] = $5 } next }
    part == "events" { if ($4 == fast && !(($5, $6) in ran)) ran[$5, $6] = $7; next }
    tag[$1] == $2 && digest[$1] != "" && (ran[$1, $2] == "" || ran[$1, $2] == digest[$1]) { next }
    { print }
  ' part=state "$WORK/state" part=events "$WORK/events" part=wanted "$WORK/wanted" \
    >"$WORK/remaining"
  mv "$WORK/remaining" "$WORK/wanted"
}

# resolve: from what is wanted to $WORK/plan, or to $WORK/problems.
resolve() {
  : >"$WORK/plan"
  awk -F '\t' -v OFS='\t' -v fast="$FAST_ENVIRONMENT" -v target="$ENVIRONMENT" \
    -v offline="$OFFLINE" -v allow_untested="$UNTESTED" -v problems="$WORK/problems" '
    part == "wanted" { wanted[$1, $2] = 1; version[$1] = $2; order[++count] = $1; next }
    part == "state" {
      if ($1 == target) { packaging[$2] = $3; tag[$2] = $4; digest[$2] = $5 }
      if ($1 == fast) source_tag[$2] = $4
      next
    }
    part == "events" {
      if (!(($5, $6) in wanted)) next
      ran[$5] = 1
      if (subject[$5] == "" && $9 != "edit") subject[$5] = $12
      if (recorded[$5] == "") { recorded[$5] = $7; where[$5] = $4 }
      next
    }
    {
      n = split($4, tags, ",")
      for (i = 1; i <= n; i++) {
        if (tags[i] == version[$1]) { now[$1] = $2; pushed[$1] = $3 }
        if (tags[i] == fast) { moving[$1] = $2; moved[$1] = $3 }
      }
    }
    END {
      for (i = 1; i <= count; i++) {
        s = order[i]; v = version[s]
        to = offline ? recorded[s] : now[s]
        if (to == "" && offline)
          print s ": Git does not record the digest of " v "; ask the registry (without --offline)" > problems
        else if (to == "" && s in ran)
          print s ": " v " ran on " where[s] ", but the registry no longer has it" > problems
        else if (to == "")
          print s ": there is no version " v "; list: scripts/promote-to-prod.sh --service " s > problems
        else if (recorded[s] != "" && recorded[s] != to)
          print s ": " v " moved: " where[s] " ran " recorded[s] ", the registry now has " to \
            "; do not use it, build a new version" > problems
        else {
          if (source_tag[s] == fast && s in moving && (moving[s] == to || pushed[s] <= moved[s]))
            ran[s] = 1
          if (!(s in ran) && !allow_untested)
            print s ": " v " never ran on " fast "; let it run there first, or add --untested" > problems
          else if (tag[s] != v || digest[s] != to)
            print s, packaging[s], tag[s] == "" ? "none" : tag[s], v, to, s in ran ? "" : "untested", subject[s]
        }
      }
    }' part=wanted "$WORK/wanted" part=state "$WORK/state" part=events "$WORK/events" \
    part=registry "$WORK/registry" >"$WORK/plan"
}

read_arguments "$@"
begin
[[ -n $ENVIRONMENT ]] || ENVIRONMENT=${SAFE_ENVIRONMENTS%% *}
require_environment "$ENVIRONMENT"
if [[ -z $VERSION && -z $FROM_DEV ]]; then
  list_all
  exit
fi
require_consent
refuse_unfinished_work
require_identity
release "Promote to $ENVIRONMENT?" "$ENVIRONMENT" promotion make_plan
follow_origin
say "${GREEN}promoted${PLAIN}: commit ${COMMIT:0:10} is on origin's $BRANCH"
say "now approve the sync in Argo CD of $ENVIRONMENT; to go back: scripts/rollback-prod.sh"
