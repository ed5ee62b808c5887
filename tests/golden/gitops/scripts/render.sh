#!/usr/bin/env bash
# Managed: generated, so change services.yaml or the stack files instead.
# Renders what Argo CD applies, into a folder; see --help.

set -euo pipefail
SCRIPTS=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
source "$SCRIPTS/lib/release.bash"

usage() {
  cat <<'END'
Usage: scripts/render.sh OUT                    every environment, from the files as they are here
       scripts/render.sh OUT COMMIT             the same, of a commit
       scripts/render.sh --difference OLD NEW   what differs between two such folders
       scripts/render.sh --report OLD NEW       the same in Markdown, short enough for a comment

Writes OUT/ENVIRONMENT/NAMESPACE/SERVICE.yaml. Every service that does not render is reported, and
the exit code is 4.

END
  exit_codes
}

# services_of TREE ENVIRONMENT: "namespace/service<TAB>packaging" of what stands there.
services_of() {
  (cd -- "$1/environments/$2" && find . -mindepth 4 -maxdepth 4 -path '*/version/*.yaml') |
    LC_ALL=C sort | awk -F / -v OFS='\t' '
      { print $2 "/" $3, $5 == "values.yaml" ? "helm" : "kustomize" }'
}

render_everything() {
  local out=$1 tree=$WORK/tree environment status=0
  [[ ! -e $out ]] || die "$USAGE" "$out exists already" "name a folder that does not"
  if (($# > 1)); then
    git cat-file -e "$2^{commit}" 2>/dev/null || die "$USAGE" "$(printf 'not a commit: %q' "$2")"
    export_tree "$2" "$tree"
  else
    mkdir "$tree"
    ln -s "$PWD"/* "$tree/"
  fi
  mkdir -p "$out"
  for environment in "$tree"/environments/*/; do
    [[ -d $environment ]] || continue
    environment=$(basename "$environment")
    services_of "$tree" "$environment" >"$WORK/services"
    require_renderers <"$WORK/services"
    render "$tree" "$environment" "$out/$environment" <"$WORK/services" || status=$UNVERIFIED
  done
  ((status == 0)) || die "$status" "some services do not render (see above)"
}

# report OLD NEW: the fence is longer than any in the manifests; GitHub takes 65536 characters.
# The backquotes below are Markdown.
# shellcheck disable=SC2016
report() {
  local difference limit=60000
  difference=$(compare "$1" "$2")
  printf '### What this changes in the rendered manifests\n\n'
  if [[ -z $difference ]]; then
    say "Nothing."
    return
  fi
  printf '``````diff\n%s\n``````\n' "${difference:0:limit}"
  ((${#difference} <= limit)) || printf '\nCut here. The whole of it: `scripts/render.sh --difference`\n'
}

case ${1:---help} in
  --help | -h) usage ;;
  --difference | --report)
    (($# == 3)) || die "$USAGE" "$1 needs two folders" "see --help"
    for folder in "${@:2}"; do [[ -d $folder ]] || die "$USAGE" "there is no folder $folder"; done
    if [[ $1 == --report ]]; then show=report; else show=compare; fi
    "$show" "$(cd -- "$2" && pwd)" "$(cd -- "$3" && pwd)"
    ;;
  -*) die "$USAGE" "$(printf 'unknown option: %q' "$1")" "see --help" ;;
  *)
    (($# <= 2)) || die "$USAGE" "too many arguments" "see --help"
    case $1 in /*) out=$1 ;; *) out=$PWD/$1 ;; esac
    begin
    render_everything "$out" "${@:2}"
    ;;
esac
