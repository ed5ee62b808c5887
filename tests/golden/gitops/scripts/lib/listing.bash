# Managed: generated, so change services.yaml or the stack files instead.
# The versions there are of each service, and which of them runs where.
# shellcheck shell=bash disable=SC2034,SC2154 # what is set elsewhere is read here, and the reverse

# list_all: prints the versions of the services in NAMES, or of all; LIMIT versions of each.
list_all() {
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
  known_versions | sort -t $'\t' -k 1,1 -k 2,2nr -k 3,3r | print_versions
}

# known_versions: "service, seconds, version, marks, subject" of each version known.
known_versions() {
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

# print_versions: the sorted lines of known_versions, as people read them.
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
