#!/usr/bin/env bash
# Managed: generated, so change services.yaml or the stack files instead.
# For the pipelines of services with `delivery: commit`: puts a fresh build on the fast environment.

set -euo pipefail
SCRIPTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
source "$SCRIPTS/lib/release.bash"

usage() {
  cat <<'END'
Usage: scripts/deliver.sh --service NAME --version VERSION --digest DIGEST --source FOLDER

Writes the version and digest of a build into the fast environment and pushes that. FOLDER is the
clone of the service's repository at the commit that was built. A build never replaces a newer one:
newer is what has the other among its ancestors, or, when the clone cannot tell, the later commit.

END
  exit_codes
}

NAMES=() VERSION='' DIGEST='' SOURCE='' YES=yes DRY_RUN=''

read_arguments() {
  while (($#)); do
    if [[ $1 == --*=* ]]; then set -- "${1%%=*}" "${1#*=}" "${@:2}"; fi
    case $1 in
      --service | --version | --digest | --source)
        [[ $# -gt 1 && $2 != -* ]] || die "$USAGE" "$1 needs a value" "see --help"
        case $1 in
          --service) NAMES=("$2") ;;
          --version) VERSION=$2 ;;
          --digest) DIGEST=$2 ;;
          --source) SOURCE=$2 ;;
        esac
        shift
        ;;
      --help | -h)
        usage
        exit
        ;;
      *) die "$USAGE" "$(printf 'unknown argument: %q' "$1")" "see --help" ;;
    esac
    shift
  done
  ((${#NAMES[@]})) || die "$USAGE" "--service is missing" "see --help"
  require_version "$VERSION"
  [[ $DIGEST =~ $DIGEST_PATTERN ]] || die "$USAGE" "$(printf 'not a digest: %q' "$DIGEST")"
  BUILT=$(git -C "$SOURCE" rev-parse --verify --quiet 'HEAD^{commit}') ||
    die "$USAGE" "$(printf 'not a Git clone: %q' "$SOURCE")"
  [[ ${VERSION##*-} == "${BUILT:0:7}" ]] ||
    die "$USAGE" "$VERSION is not a build of ${BUILT:0:7}, the commit in $SOURCE"
  SOURCE=$(cd -- "$SOURCE" && pwd -P)
}

# identify: the build's author is the author here; the pipeline commits.
identify() {
  GIT_AUTHOR_NAME=$(source_says %an)
  GIT_AUTHOR_EMAIL=$(source_says %ae)
  export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
  if ! git -c user.useConfigOnly=true var GIT_COMMITTER_IDENT >/dev/null 2>&1; then
    export GIT_COMMITTER_NAME="${NAMES[0]##*/} pipeline" GIT_COMMITTER_EMAIL=pipeline@ci.invalid
  fi
  WHO="$GIT_AUTHOR_NAME <$GIT_AUTHOR_EMAIL>"
  {
    source_says %s
    printf '\n'
  } >"$WORK/body"
  {
    printf 'Release-Commit: %s\n' "$BUILT"
    printf 'Release-Committed: %s\n' "$(committed)"
  } >"$WORK/trailers"
}

source_says() { git -C "$SOURCE" -c log.showSignature=false show --no-patch --format="$1" "$BUILT"; }

committed() {
  TZ=UTC git -C "$SOURCE" -c log.showSignature=false show --no-patch --format=%cd \
    --date=format-local:%Y-%m-%dT%H:%M:%SZ "$BUILT"
}

make_plan() {
  local packaging running digest
  select_services "$FAST_ENVIRONMENT" "${NAMES[@]}"
  IFS=$'\t' read -r packaging running digest < <(
    awk -F '\t' -v OFS='\t' -v e="$FAST_ENVIRONMENT" -v s="${SERVICES[0]}" \
      '$1 == e && $2 == s { print $3, $4 == "" ? "none" : $4, $5 }' "$WORK/state"
  ) || true
  : >"$WORK/plan"
  if [[ $running == "$VERSION" && $digest == "$DIGEST" ]]; then return; fi
  if is_newer "$running"; then
    say "$FAST_ENVIRONMENT already runs $running, which is newer than $VERSION"
    exit
  fi
  printf '%s\t%s\t%s\t%s\t%s\t\t%s\n' "${SERVICES[0]}" "$packaging" "$running" "$VERSION" \
    "$DIGEST" "$(source_says %s | tr '\t' ' ')" >"$WORK/plan"
}

# is_newer VERSION: whether VERSION, which runs, was built from a later commit than ours.
is_newer() {
  local other=${1##*-} theirs
  [[ $1 =~ $VERSION_PATTERN && $other != "${BUILT:0:7}" ]] || return 1
  if git -C "$SOURCE" cat-file -e "$other^{commit}" 2>/dev/null; then
    git -C "$SOURCE" merge-base --is-ancestor "$BUILT" "$other"
    return
  fi
  theirs=$(
    git log -1 --format='%(trailers:key=Release-Committed,valueonly,separator=%x2C)' "$TIP" \
      --grep "^Release-Version: $1\$" -- \
      ":(glob)environments/$FAST_ENVIRONMENT/${SERVICES[0]}/version/*"
  )
  [[ $theirs > $(committed) ]]
}

read_arguments "$@"
begin
identify
release '' "$FAST_ENVIRONMENT" build make_plan
say "delivered: $FAST_ENVIRONMENT runs $VERSION of ${SERVICES[0]} (commit ${COMMIT:0:10})"
