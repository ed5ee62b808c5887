# Managed: generated, so change services.yaml or the stack files instead.
# What Git knows: which version of what each environment runs, and ran, and who put it there.
# shellcheck shell=bash disable=SC2034 # what is set here is read by the scripts

# read_state: writes $WORK/state, a line for each service of each environment at TIP:
# environment, namespace/service, packaging (kustomize or helm), tag, digest.
read_state() {
  {
    git grep --full-name -I -E '^ *(kind|image|newTag|tag|digest):' "$TIP" -- \
      ':(glob)environments/*/*/*/version/*.yaml' || true
  } | awk -F '\t' -v OFS='\t' -v strip="${#TIP}" '
    function value(text) {
      sub(/^[^:]*: */, "", text); sub(/ +#.*$/, "", text); gsub(/["\047 \r]/, "", text)
      return text
    }
    function flush() {
      if (path == "") return
      split(path, part, "/")
      print part[2], part[3] "/" part[4], part[6] == "values.yaml" ? "helm" : "kustomize", tag, digest
    }
    {
      line = substr($0, strip + 2); colon = index(line, ":")
      here = substr(line, 1, colon - 1); line = substr(line, colon + 1)
      if (here != path) { flush(); path = here; tag = digest = "" }
      if (line ~ /^ *(newTag|tag):/) tag = value(line)
      if (line ~ /^ *digest:/) digest = value(line)
    }
    END { flush() }' >"$WORK/state"
}

# read_events [PATHSPEC]...: writes $WORK/events, a line for each change of a version file in the
# history of TIP, newest first: seconds, time, commit, environment, namespace/service, version,
# digest, previous version, kind (build, promotion, rollback or edit), by, untested, subject.
# The files tell what changed; the trailers of a release commit tell the rest.
read_events() {
  (($#)) || set -- ':(glob)environments/*/*/*/version/*.yaml'
  TZ=UTC git -c core.quotePath=false -c log.showSignature=false log --first-parent -m -p -U100 \
    --no-renames --no-color --no-ext-diff --no-textconv --src-prefix=a/ --dst-prefix=b/ \
    --date=format-local:%Y-%m-%dT%H:%M:%SZ \
    --format='%x01%ct%x09%cd%x09%H%x09%an <%ae>%x09%s%n%(trailers:only,unfold)%x02' \
    "$TIP" -- "$@" | awk -v OFS='\t' '
    function value(text) {
      sub(/^[^:]*: */, "", text); sub(/ +#.*$/, "", text); gsub(/["\047 \r]/, "", text)
      return text
    }
    function flush(   part, service, key, kind, who, subject) {
      if (path == "") return
      split(path, part, "/")
      service = part[3] "/" part[4]
      if (tag == old_tag && digest == old_digest) { path = ""; return }
      if (old_tag == "" && tag == part[2]) { path = ""; return }
      key = part[2] SUBSEP service
      kind = "edit"; who = author; subject = title
      if (key in version && version[key] == tag) {
        kind = kinds[key]; who = by[key]; subject = subjects[key]
      }
      print seconds, time, commit, part[2], service, tag == "" ? "none" : tag, digest,
        old_tag == "" ? "none" : old_tag, kind, who, key in untested ? "untested" : "", subject
      path = ""
    }
    /^\001/ {
      flush()
      n = split(substr($0, 2), field, "\t")
      seconds = field[1]; time = field[2]; commit = field[3]; author = field[4]; title = field[5]
      for (i = 6; i <= n; i++) title = title " " field[i]
      split("", version); split("", kinds); split("", by); split("", untested); split("", subjects)
      trailers = 1; header = hunk = 0
      next
    }
    trailers {
      if (/\002$/) trailers = 0
      sub(/\002$/, ""); gsub(/\t/, " ")
      text = $0; sub(/^[^:]*: */, "", text)
      if (/^Release-Service:/) service = text
      else if (/^Release-Environment:/) key = text SUBSEP service
      else if (/^Release-Version:/) version[key] = text
      else if (/^Release-Kind:/) kinds[key] = text
      else if (/^Release-By:/) by[key] = text
      else if (/^Release-Untested:/) untested[key] = 1
      else if (/^Release-Subject:/) subjects[key] = text
      next
    }
    /^diff --git / { flush(); header = 1; hunk = 0; tag = digest = old_tag = old_digest = ""; next }
    header && /^(---|\+\+\+) [ab]\// { path = substr($0, 7); sub(/\t$/, "", path); next }
    /^@@ / { header = 0; hunk = 1; next }
    hunk {
      mark = substr($0, 1, 1); line = substr($0, 2)
      if (line ~ /^ *(newTag|tag):/) {
        if (mark != "-") tag = value(line)
        if (mark != "+") old_tag = value(line)
      } else if (line ~ /^ *digest:/) {
        if (mark != "-") digest = value(line)
        if (mark != "+") old_digest = value(line)
      }
    }
    END { flush() }' >"$WORK/events"
}

# select_services ENVIRONMENT [NAME]...: sets SERVICES to the namespace/service of each NAME
# (a service, with or without its namespace), or to all of the environment; ends on unknown ones.
select_services() {
  local environment=$1 name found unknown=()
  mapfile -t SERVICES < <(awk -F '\t' -v e="$environment" '$1 == e { print $2 }' "$WORK/state")
  ((${#SERVICES[@]})) ||
    die "$PRECONDITION" "there is no environments/$environment on origin's $BRANCH" \
      "environments: $(cut -f 1 "$WORK/state" | sort -u | paste -s -d ' ' -)"
  shift
  (($#)) || return 0
  local -A full=()
  for found in "${SERVICES[@]}"; do
    full[$found]=$found
    full[${found#*/}]=$found
  done
  SERVICES=()
  for name in "$@"; do
    found=${full[$name]:-}
    if [[ -z $found ]]; then
      unknown+=("$name")
    elif [[ " ${SERVICES[*]} " != *" $found "* ]]; then
      SERVICES+=("$found")
    fi
  done
  ((${#unknown[@]} == 0)) ||
    die "$USAGE" "no such service in $environment: ${unknown[*]}" \
      "the services: ls -d environments/$environment/*/*"
}

# read_selected_events: the history of the SERVICES, or, of many, of all.
read_selected_events() {
  local service paths=()
  if ((${#NAMES[@]})); then
    for service in "${SERVICES[@]}"; do paths+=(":(glob)environments/*/$service/version/*"); done
  fi
  read_events "${paths[@]}"
}

# delivered_by_keel: of the services on standard input, those that run the moving tag.
delivered_by_keel() {
  awk -F '\t' -v fast="$FAST_ENVIRONMENT" '
    part == 1 { if ($1 == fast && $4 == fast) keel[$2] = 1; next }
    $1 in keel' part=1 "$WORK/state" part=2 -
}
