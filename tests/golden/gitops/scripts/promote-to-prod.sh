#!/usr/bin/env bash
# Managed: generated, so change services.yaml or the stack files instead.
# Lists the versions there are, or promotes one to a safe environment; see --help.

set -euo pipefail
if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
  echo "error: bash 4.4 or newer is needed, this is $BASH_VERSION" >&2
  exit 3
fi
SCRIPTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
source "$SCRIPTS/lib/release.bash"

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

# delivered_by_keel: of the services on standard input, those that run the moving tag.
delivered_by_keel() {
  awk -F '\t' -v fast="$FAST_ENVIRONMENT" '
    part == 1 { if ($1 == fast && $4 == fast) keel[$2] = 1; next }
    $1 in keel' part=1 "$WORK/state" part=2 -
}

# List -------------------------------------------------------------------------------------------

list() {
  local keel
  tip_or_last_known
  read_state
  select_services "$ENVIRONMENT" "${NAMES[@]}"
  read_selected_events
  : >"$WORK/registry"
  mapfile -t keel < <(printf '%s\n' "${SERVICES[@]}" | delivered_by_keel)
  if ((${#keel[@]} > 16 && ${#NAMES[@]} == 0)); then
    note "${#keel[@]} services are delivered by Keel, and the registry was not asked about so many:"
    note "their builds are listed when named: --service NAME"
  elif ((${#keel[@]})) && [[ -z $OFFLINE ]]; then
    registry_answered "${keel[@]}" || warn "its builds are missing below"
  fi
  if [[ -z $LIMIT ]]; then
    if ((${#SERVICES[@]} > 20)); then LIMIT=3; else LIMIT=10; fi
  fi
  printf '%s\n' "${SERVICES[@]}" >"$WORK/selected"
  list_versions | LC_ALL=C sort -t $'\t' -k 1,1 -k 2,2nr -k 3,3r | print_versions
}

# read_selected_events: the history of the SERVICES, or, of many, of all.
read_selected_events() {
  local service paths=()
  if ((${#NAMES[@]})); then
    for service in "${SERVICES[@]}"; do paths+=(":(glob)environments/*/$service/version/*"); done
  fi
  read_events "${paths[@]}"
}

# list_versions: "service, seconds, version, marks, subject" of each version known.
list_versions() {
  awk -F '\t' -v OFS='\t' -v fast="$FAST_ENVIRONMENT" '
    function is_version(text) { return text ~ /^v[0-9]+-[0-9a-f]+$/ && length(text) == 17 }
    function mark(service, version, environment) {
      if (!((service, version, environment) in marked)) {
        marked[service, version, environment] = 1
        marks[service, version] = marks[service, version] " " environment
      }
    }
    function know(service, version, seconds) {
      if (!((service, version) in when)) { order[++count] = service SUBSEP version }
      if (!((service, version) in when) || when[service, version] < seconds)
        when[service, version] = seconds
    }
    part == "selected" { selected[$1] = 1; next }
    part == "state" {
      if ($2 in selected && is_version($4)) { know($2, $4, 0); mark($2, $4, $1) }
      next
    }
    part == "events" {
      if (!($5 in selected) || !is_version($6)) next
      if ($4 == fast) know($5, $6, $1)
      else if (($5, $6) in when && when[$5, $6] == 0) know($5, $6, $1)
      if ($9 != "edit" && $12 != "") subject[$5, $6] = $12
      next
    }
    {
      n = split($4, tags, ","); moving = 0
      for (i = 1; i <= n; i++) if (tags[i] == fast) moving = 1
      for (i = 1; i <= n; i++) if (is_version(tags[i])) {
        know($1, tags[i], $3); when[$1, tags[i]] = $3
        if (moving) mark($1, tags[i], fast)
      }
    }
    END {
      for (service in selected) print service, "x"
      for (i = 1; i <= count; i++) {
        split(order[i], key, SUBSEP)
        print key[1], when[order[i]], key[2], marks[order[i]], subject[order[i]]
      }
    }' part=selected "$WORK/selected" part=state "$WORK/state" part=events "$WORK/events" \
    part=registry "$WORK/registry"
}

# print_versions: the sorted lines of list_versions, as people read them.
print_versions() {
  awk -F '\t' -v now="$(date +%s)" -v limit="$LIMIT" -v bold="$BOLD" -v plain="$PLAIN" \
    -v green="$GREEN" -v dim="$DIM" '
    function age(seconds) {
      if (seconds == 0) return "?"
      seconds = now - seconds
      if (seconds < 90) return "now"
      if (seconds < 5400) return int(seconds / 60) " min"
      if (seconds < 172800) return int(seconds / 3600) " h"
      return int(seconds / 86400) " d"
    }
    function close_service() {
      if (service == "") return
      if (!shown) print "  " dim "no version yet" plain
      if (hidden) print "  " dim "and " hidden " older: --service " short " --limit 0" plain
    }
    $1 != service {
      close_service()
      print (service == "" ? "" : "\n") bold $1 plain
      service = short = $1; sub(/.*\//, "", short); shown = hidden = 0
    }
    $2 == "x" { next }
    limit > 0 && shown >= limit && $4 == "" { hidden++; next }
    {
      shown++
      line = sprintf("  %-18s %7s  %s%-12s%s %s", $3, age($2), green, substr($4, 2), plain, $5)
      sub(/ +$/, "", line); print line
    }
    END { close_service() }'
}

# Promote ----------------------------------------------------------------------------------------

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
  list
  exit
fi
require_consent
refuse_unfinished_work
require_identity
release "Promote to $ENVIRONMENT?" "$ENVIRONMENT" promotion make_plan
follow_origin
say "${GREEN}promoted${PLAIN}: commit ${COMMIT:0:10} is on origin's $BRANCH"
say "now approve the sync in Argo CD of $ENVIRONMENT; to go back: scripts/rollback-prod.sh"
