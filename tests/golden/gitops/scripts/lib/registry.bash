# Managed: generated, so change services.yaml or the stack files instead.
# What the registry (ECR) knows: the images of a service, their digests, tags and ages.
# shellcheck shell=bash disable=SC2034 # what is set here is read by the scripts

# ask_registry NAMESPACE/SERVICE...: adds to $WORK/registry, for each tagged image of them,
# namespace/service, digest, push time in seconds and tags with commas. Each is asked once.
# Services that it cannot answer for are in $WORK/unanswered, with the reason.
ask_registry() {
  local service
  mkdir -p "$WORK/ecr"
  for service in "$@"; do
    [[ -e $WORK/ecr/${service//\//__} || -e $WORK/ecr/${service//\//__}.error ]] ||
      printf '%s\n' "$service"
  done >"$WORK/unasked"
  if (($(wc -l <"$WORK/unasked") > 16)); then
    note "asking the registry about $(($(wc -l <"$WORK/unasked"))) services ..."
  fi
  in_parallel describe_images <"$WORK/unasked"
  : >"$WORK/registry"
  : >"$WORK/unanswered"
  for service in "$@"; do
    if [[ -e $WORK/ecr/${service//\//__} ]]; then
      printf '%s\0' "$WORK/ecr/${service//\//__}"
    else
      printf '%s\t%s\n' "$service" "$(last_words "$WORK/ecr/${service//\//__}.error")" \
        >>"$WORK/unanswered"
    fi
  done | xargs -0 cat -- /dev/null >>"$WORK/registry"
}

describe_images() {
  local service=$1 answer=$WORK/ecr/${1//\//__}
  if ! command -v aws >/dev/null; then
    printf 'the AWS CLI (aws) is not installed\n' >"$answer.error"
    return
  fi
  # The query is JMESPath: its backquotes are not the shell's.
  # shellcheck disable=SC2016
  if AWS_PAGER='' AWS_MAX_ATTEMPTS=${AWS_MAX_ATTEMPTS:-2} aws ecr describe-images \
    --registry-id "$REGISTRY_ACCOUNT" --region "$REGISTRY_REGION" --repository-name "$service" \
    --filter tagStatus=TAGGED --cli-connect-timeout 5 --cli-read-timeout 20 --output text \
    --query 'imageDetails[].[imageDigest, imagePushedAt, join(`,`, imageTags || `[]`)]' \
    >"$answer.part" 2>"$answer.error"; then
    awk -F '\t' -v OFS='\t' -v service="$service" '
      # Days from the civil calendar to 1970, for awks that lack mktime.
      function seconds(stamp,   y, m, d, era, doy, off) {
        if (stamp ~ /^[0-9.]+$/) return int(stamp)
        y = substr(stamp, 1, 4); m = substr(stamp, 6, 2) + 0; d = substr(stamp, 9, 2) + 0
        if (m <= 2) y--
        era = int(y / 400)
        doy = int((153 * (m + (m > 2 ? -3 : 9)) + 2) / 5) + d - 1
        off = match(stamp, /[+-][0-9][0-9]:?[0-9][0-9]$/) ? substr(stamp, RSTART) : "+0000"
        gsub(/:/, "", off)
        return (era * 146097 + (y % 400) * 365 + int(y % 400 / 4) - int(y % 400 / 100) + doy \
          - 719468) * 86400 + substr(stamp, 12, 2) * 3600 + substr(stamp, 15, 2) * 60 \
          + substr(stamp, 18, 2) \
          - (substr(off, 1, 1) "1") * (substr(off, 2, 2) * 3600 + substr(off, 4, 2) * 60)
      }
      NF >= 3 { print service, $1, seconds($2), $3 }' "$answer.part" >"$answer"
  fi
}

# registry_answered SERVICE...: asks; on silence says so and fails.
registry_answered() {
  ask_registry "$@"
  [[ ! -s $WORK/unanswered ]] && return
  warn "the registry did not answer for $(describe_unanswered)"
  return 1
}

describe_unanswered() {
  awk -F '\t' 'NR == 1 { first = $1 ": " $2 } END { print first (NR > 1 ? " (and " NR - 1 " more)" : "") }' \
    "$WORK/unanswered"
}
