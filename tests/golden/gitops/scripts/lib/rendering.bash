# Managed: generated, so change services.yaml or the stack files instead.
# From the tree to the manifests that Argo CD applies, with the same tools.
# shellcheck shell=bash disable=SC2034 # what is set here is read by the scripts

readonly KUSTOMIZE_MINIMUM=5.0.0

# kustomize and helm end before their garbage matters: collecting less of it saves a third of the time.
export GOGC=${GOGC:-400}

# require_kustomize: sets KUSTOMIZE, a command that takes a folder, to kustomize or kubectl.
require_kustomize() {
  local version found=()
  if command -v kustomize >/dev/null; then
    version=$(kustomize version 2>/dev/null || true)
    KUSTOMIZE=(kustomize build)
    at_least "$version" "$KUSTOMIZE_MINIMUM" && return
    found+=("kustomize ${version:-without a version}")
  fi
  if command -v kubectl >/dev/null; then
    version=$(kubectl version --client 2>/dev/null | awk '/Kustomize Version/ { print $3 }' || true)
    KUSTOMIZE=(kubectl kustomize)
    at_least "$version" "$KUSTOMIZE_MINIMUM" && return
    found+=("kubectl with kustomize ${version:-of unknown version}")
  fi
  ((${#found[@]})) ||
    die "$PRECONDITION" "neither kustomize nor kubectl is installed" \
      "install kustomize $KUSTOMIZE_MINIMUM or newer: https://kubectl.docs.kubernetes.io/installation"
  die "$PRECONDITION" "too old: ${found[*]}" \
    "install kustomize $KUSTOMIZE_MINIMUM or newer: https://kubectl.docs.kubernetes.io/installation"
}

require_helm() {
  command -v helm >/dev/null ||
    die "$PRECONDITION" "helm is not installed, and $1 is a Helm chart" \
      "install Helm 3 or newer: https://helm.sh/docs/intro/install"
}

# require_renderers: what the "namespace/service<TAB>packaging" lines on standard input need.
require_renderers() {
  local service packaging helm='' kustomize=''
  while IFS=$'\t' read -r service packaging _; do
    if [[ $packaging == helm ]]; then helm=$service; else kustomize=$service; fi
  done
  [[ -z $kustomize ]] || require_kustomize
  [[ -z $helm ]] || require_helm "$helm"
}

# render_one TREE ENVIRONMENT OUT "NAMESPACE/SERVICE<TAB>PACKAGING": writes OUT/NAMESPACE/SERVICE.yaml,
# or, when it does not render, OUT/NAMESPACE/SERVICE.error.
render_one() {
  local tree=$1 environment=$2 out=$3 service packaging status=0
  IFS=$'\t' read -r service packaging _ <<<"$4"
  mkdir -p "$out/${service%/*}"
  if [[ $packaging == helm ]]; then
    helm template "${service#*/}" "$tree/base/$service" --namespace "${service%/*}" \
      --values "$tree/environments/$environment/$service/values.yaml" \
      --values "$tree/environments/$environment/$service/version/values.yaml" \
      >"$out/$service.part" 2>"$out/$service.error" || status=1
  else
    "${KUSTOMIZE[@]}" "$tree/environments/$environment/$service" \
      >"$out/$service.part" 2>"$out/$service.error" || status=1
  fi
  if ((status == 0)); then
    mv "$out/$service.part" "$out/$service.yaml"
    rm "$out/$service.error"
  else
    rm "$out/$service.part"
  fi
}

# render_batch TREE ENVIRONMENT OUT "NAMESPACE/SERVICE NAMESPACE/SERVICE ...": many overlays by one
# kustomize, whose start costs more than the rest, with markers between them. Where they do not go
# together, each goes alone.
render_batch() {
  local tree=$1 environment=$2 out=$3 batch services number
  read -ra services <<<"$4"
  batch=$(mktemp -d "$tree/batch.XXXXXX")
  {
    printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n'
    printf 'sortOptions:\n  order: fifo\nresources:\n'
    for number in "${!services[@]}"; do
      printf '  - %s.yaml\n  - ../environments/%s/%s\n' \
        "$number" "$environment" "${services[number]}"
      printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: release-batch-%s\n' "$number" \
        >"$batch/$number.yaml"
      mkdir -p "$out/${services[number]%/*}"
      : >"$out/${services[number]}.yaml"
    done
  } >"$batch/kustomization.yaml"
  if "${KUSTOMIZE[@]}" "$batch" >"$batch.out" 2>/dev/null; then
    awk -v out="$out" -v services="$4" '
      function flush() {
        if (match(text, /\n  name: release-batch-[0-9]+\n/)) {
          close(file)
          marker = substr(text, RSTART, RLENGTH); gsub(/[^0-9]/, "", marker)
          file = out "/" service[marker + 1] ".yaml"; started = 0
        } else if (text != "") {
          printf "%s%s", started ? "---\n" : "", text > file
          started = 1
        }
        text = ""
      }
      BEGIN { split(services, service, " ") }
      /^---$/ { flush(); next }
      { text = text $0 "\n" }
      END { flush() }' "$batch.out"
  else
    for number in "${!services[@]}"; do
      rm "$out/${services[number]}.yaml"
      render_one "$tree" "$environment" "$out" "${services[number]}"$'\tkustomize'
    done
  fi
}

# render TREE ENVIRONMENT OUT: renders the "namespace/service<TAB>packaging" lines on standard input.
# Fails, saying why, when one of them does not render.
render() {
  local failures failure
  mkdir -p "$3"
  awk -F '\t' -v batches="$3.batches" -v singles="$3.singles" '
    BEGIN { printf "" > batches; printf "" > singles }
    $2 == "helm" { print > singles; next }
    { overlays[++n] = $1 }
    END {
      for (i = 1; i <= n && n < 5; i++) print overlays[i] "\tkustomize" > singles
      for (i = 1; i <= n && n >= 5; i++)
        printf "%s%s", overlays[i], i % 20 == 0 || i == n ? "\n" : " " > batches
    }'
  in_parallel render_one "$1" "$2" "$3" <"$3.singles"
  in_parallel render_batch "$1" "$2" "$3" <"$3.batches"
  rm -f -- "$3.singles" "$3.batches"
  mapfile -t failures < <(find "$3" -name '*.error' | sort)
  for failure in "${failures[@]}"; do
    note "$(printf '%s/%s does not render:' "$2" "${failure#"$3/"}" | sed 's/\.error does/ does/')"
    sed 's/^/  /' "$failure" >&2
  done
  ((${#failures[@]} == 0))
}

# export_tree COMMIT FOLDER: the files of a commit, without touching the clone.
export_tree() {
  mkdir -p "$2"
  GIT_INDEX_FILE=$2.index git read-tree "$1"
  GIT_INDEX_FILE=$2.index git checkout-index --all --force --prefix="$2/"
}

# export_services COMMIT FOLDER ENVIRONMENT: the same, but of the services only those on standard
# input ("namespace/service<TAB>..."), and of the environments only that one.
export_services() {
  mkdir -p "$2"
  cat >"$2.services"
  GIT_INDEX_FILE=$2.index git read-tree "$1"
  GIT_INDEX_FILE=$2.index git -c core.quotePath=false ls-files >"$2.files"
  awk -F / -v environment="$3" '
    part == "services" { sub(/\t.*/, ""); wanted[$0] = 1; next }
    $1 == "pipelines" { next }
    $1 == "base" && NF > 3 && !(($2 "/" $3) in wanted) { next }
    $1 == "environments" && ($2 != environment || NF > 4 && !(($3 "/" $4) in wanted)) { next }
    { print }' part=services "$2.services" part=files "$2.files" |
    GIT_INDEX_FILE=$2.index git checkout-index --force --stdin --prefix="$2/"
}

# compare BEFORE AFTER: the difference between two folders of manifests, in colour on a terminal.
compare() {
  git -C / --no-pager diff --no-index --no-ext-diff --no-textconv --no-renames --color="$COLOUR" \
    --src-prefix=before/ --dst-prefix=after/ "$1" "$2" |
    sed -e "s|\\(before/\\)${1#/}/|\\1|; s|\\(after/\\)${2#/}/|\\1|" |
    grep -vE '^(.\[[0-9;]*m)*(index [0-9a-f]+\.\.|diff --git )' || true
}
