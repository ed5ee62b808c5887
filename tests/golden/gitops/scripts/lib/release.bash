# Managed: generated, so change services.yaml or the stack files instead.
# A release: plan it, show what it changes, ask, commit, push. Promotion, rollback and delivery by a
# pipeline differ in their plan only.
#
# A plan is the file $WORK/plan with a line for each service that changes: namespace/service,
# packaging, previous version, version, digest, "untested" or nothing, the subject of the commit that
# was built, where known.
# shellcheck shell=bash disable=SC2034 # what is set here is read by the scripts

source "$SCRIPTS/lib/console.bash"
source "$SCRIPTS/lib/repository.bash"
source "$SCRIPTS/lib/history.bash"
source "$SCRIPTS/lib/registry.bash"
source "$SCRIPTS/lib/rendering.bash"

readonly VERSION_PATTERN='^v[0-9]{8}-[0-9a-f]{7}$' DIGEST_PATTERN='^sha256:[0-9a-f]{64}$'
readonly ATTEMPTS=20

# begin: enters the repository and makes $WORK, a folder that goes when the script ends.
begin() {
  PUSHING=
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/release.XXXXXX")
  trap 'leave $?' EXIT
  trap interrupted INT TERM HUP
  enter_repository
}

# leave STATUS: whatever ends the script, $WORK goes; a failure that nobody foresaw is called one.
# 141 is a reader that has seen enough, such as head.
leave() {
  rm -rf -- "$WORK"
  if (($1 != 0 && $1 != 141)) && [[ -z $ENDED ]]; then
    note "error: a command of this script failed with $1 (see above); please report it"
    exit "$FAULT"
  fi
}

interrupted() {
  trap '' INT TERM HUP
  local job
  for job in $(jobs -p); do kill "$job" 2>/dev/null || true; done
  note ""
  if [[ -n $PUSHING ]]; then
    note "interrupted while pushing; this clone is as it was"
    note "whether the push arrived: scripts/history.sh --limit 5"
  else
    note "interrupted; nothing was changed"
  fi
  ENDED=yes
  exit "$INTERRUPTED"
}

require_version() {
  [[ $1 =~ $VERSION_PATTERN ]] ||
    die "$USAGE" "$(printf 'not a version: %q' "$1")" \
      "a version looks like v20250819-f3b8541; without one, the script lists those there are"
}

# require_environment NAME: one of the platform's safe environments.
require_environment() {
  [[ -n $1 && " $SAFE_ENVIRONMENTS " == *" $1 "* ]] ||
    die "$USAGE" "$(printf 'not an environment that is promoted to: %q' "$1")" \
      "choose one of: ${SAFE_ENVIRONMENTS:-(there is none)}"
}

# require_consent: somebody can be asked, or need not be.
require_consent() {
  [[ -n $YES || -n $DRY_RUN || -t 0 ]] ||
    die "$DECLINED" "there is no terminal to ask on; nothing was changed" \
      "add --yes to go ahead without a question, or --dry-run to look"
}

# release QUESTION ENVIRONMENT KIND MAKE-PLAN: the whole of it, until it landed or was given up.
# MAKE-PLAN is a function that writes $WORK/plan from TIP.
release() {
  local question=$1 environment=$2 kind=$3 make_plan=$4 attempt
  : >"$WORK/shown"
  for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
    require_tip
    read_state
    "$make_plan"
    if [[ ! -s $WORK/plan ]]; then
      say "already up to date"
      exit
    fi
    cut -f 1,2 "$WORK/plan" >"$WORK/services"
    write_versions "$environment"
    if [[ -n $question ]]; then
      show_and_ask "$question" "$environment"
    fi
    message "$environment" "$kind" >"$WORK/message"
    commit_files "$WORK/message" <"$WORK/versions"
    if push_commit; then
      return
    fi
    note "somebody else pushed meanwhile; looking again"
    # Many pipelines may be waiting for the same moment: spread them.
    sleep "$((attempt / 4)).$((RANDOM % 10))"
  done
  die "$REMOTE" "others were faster $ATTEMPTS times in a row; nothing was changed" "try again"
}

# show_and_ask QUESTION ENVIRONMENT: what would change in the rendered manifests; once, and again
# only if it is no longer what was shown.
show_and_ask() {
  local question=$1 environment=$2 folder
  for folder in tree before after; do rm -rf -- "${WORK:?}/$folder"; done
  require_renderers <"$WORK/services"
  export_services "$TIP" "$WORK/tree" "$environment" <"$WORK/services"
  if ! render "$WORK/tree" "$environment" "$WORK/before" <"$WORK/services" 2>/dev/null; then
    # Perhaps a service builds on files of another one.
    rm -rf -- "${WORK:?}/before"
    export_tree "$TIP" "$WORK/tree"
    render "$WORK/tree" "$environment" "$WORK/before" <"$WORK/services" ||
      die "$UNVERIFIED" "mend that on $BRANCH first; nothing was changed"
  fi
  cp -R "$WORK/new/." "$WORK/tree/"
  render "$WORK/tree" "$environment" "$WORK/after" <"$WORK/services" ||
    die "$UNVERIFIED" "nothing was changed"
  {
    compare "$WORK/before" "$WORK/after"
    summary "$environment"
  } >"$WORK/showing"
  cmp -s "$WORK/shown" "$WORK/showing" && return
  [[ ! -s $WORK/shown ]] || note "what would change is no longer what you saw:"
  cat "$WORK/showing"
  mv "$WORK/showing" "$WORK/shown"
  if [[ -n $DRY_RUN ]]; then
    say "dry run: nothing was changed"
    exit
  fi
  if [[ -z $YES ]] && ! confirm "$question"; then
    die "$DECLINED" "not confirmed; nothing was changed"
  fi
}

# summary ENVIRONMENT: the plan, a line for each service.
summary() {
  awk -F '\t' -v environment="$1" -v bold="$BOLD" -v plain="$PLAIN" -v fast="$FAST_ENVIRONMENT" '
    {
      service[NR] = $1; change[NR] = $3 " -> " bold $4 plain
      if ($6 != "") change[NR] = change[NR] "  UNTESTED: never ran on " fast
      if (length($1) > width) width = length($1)
    }
    END {
      printf "\n%s%s%s, %d service%s:\n", bold, environment, plain, NR, NR == 1 ? "" : "s"
      for (i = 1; i <= NR; i++) printf "  %-" width "s  %s\n", service[i], change[i]
    }' "$WORK/plan"
}

# write_versions ENVIRONMENT: the plan's version files, below $WORK/new; and $WORK/versions,
# "path<TAB>file" of each, for the commit.
write_versions() {
  local service packaging version digest path
  rm -rf -- "$WORK/new"
  : >"$WORK/versions"
  while IFS=$'\t' read -r service packaging _ version digest _; do
    path=environments/$1/$service/version
    mkdir -p "$WORK/new/$path"
    if [[ $packaging == helm ]]; then path+=/values.yaml; else path+=/kustomization.yaml; fi
    "version_file_$packaging" "$REGISTRY_HOST/$service" "$version" "$digest" >"$WORK/new/$path"
    printf '%s\t%s\n' "$path" "$WORK/new/$path" >>"$WORK/versions"
  done <"$WORK/plan"
}

# message ENVIRONMENT KIND: the commit's message, with trailers that history.sh reads. A plan of one
# service may add lines from $WORK/body and trailers from $WORK/trailers.
message() {
  WHO=$WHO awk -F '\t' -v environment="$1" -v kind="$2" '
    {
      service[NR] = $1; before[NR] = $3; version[NR] = $4; digest[NR] = $5; untested[NR] = $6
      subject[NR] = $7
      name = $1; sub(/.*\//, "", name)
      names = names (NR == 1 ? "" : ", ") name
      if ($4 != version[1]) mixed = 1
    }
    END {
      what = NR <= 3 ? names : NR " services"
      printf "%s: %s%s%s\n\n", environment, kind == "rollback" ? "roll back " : "", what, \
        mixed ? "" : (kind == "rollback" ? " to " : " ") version[1]
      for (i = 1; i <= NR && NR > 1; i++)
        printf "%s: %s -> %s\n%s", service[i], before[i], version[i], i == NR ? "\n" : ""
      while ((getline line < body) > 0) print line
      for (i = 1; i <= NR; i++) {
        print "Release-Service: " service[i]
        print "Release-Environment: " environment
        print "Release-Version: " version[i]
        print "Release-Digest: " digest[i]
        print "Release-Previous: " before[i]
        print "Release-Kind: " kind
        print "Release-By: " ENVIRON["WHO"]
        if (untested[i] != "") print "Release-Untested: true"
        if (subject[i] != "") print "Release-Subject: " subject[i]
      }
      while ((getline line < trailers) > 0) print line
    }' body="$WORK/body" trailers="$WORK/trailers" "$WORK/plan"
}

# report_problems: ends with all of $WORK/problems, if there are any.
report_problems() {
  local problems
  [[ -s $WORK/problems ]] || return 0
  mapfile -t problems <"$WORK/problems"
  die "$UNVERIFIED" "nothing was changed:" "${problems[@]}"
}

version_file_kustomize() {
  local image=$1 tag=$2 digest=$3
  cat <<END
# What runs here. Only a release moves this file.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images:
  - name: $image
    newTag: $tag
    digest: $digest
END
}

version_file_helm() {
  local tag=$2 digest=$3
  cat <<END
# What runs here. Only a release moves this file.
image:
  tag: $tag
  digest: $digest
END
}
