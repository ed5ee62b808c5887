{{/* labels: the name of a part, of the release `root` */}}
{{- define "labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: argocd
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* settings: the keys of a ConfigMap as strings, empty ones left out as the real chart does */}}
{{- define "settings" -}}
{{- range $key, $value := . }}
{{- if ne (toString $value) "" }}
{{ $key }}: {{ toString $value | toYaml }}
{{- end }}
{{- end }}
{{- end }}

{{/* params: what argocd-cmd-params-cm holds: the presets, overridden by configs.params */}}
{{- define "params" -}}
{{- $presets := dict "repo.server" "argocd-repo-server:8081" "redis.server" "argocd-redis:6379" -}}
{{- range tuple "controller" "server" "reposerver" "notificationscontroller" -}}
{{- $_ := set $presets (printf "%s.log.format" .) $.Values.global.logging.format -}}
{{- $_ := set $presets (printf "%s.log.level" .) $.Values.global.logging.level -}}
{{- end -}}
{{- $wired := dict -}}
{{- range (.Files.Get "wiring.yaml" | fromYaml) -}}
{{- range $variable, $key := index . "argocd-cmd-params-cm" -}}{{- $_ := set $wired $key true -}}{{- end -}}
{{- end -}}
{{- $params := omit .Values.configs.params "create" -}}
{{- range $key, $_ := $params -}}
{{- if not (hasKey $wired $key) -}}
{{- fail (printf "configs.params has %s, which lab/charts/argo-cd/wiring.yaml gives to no process" $key) -}}
{{- end -}}
{{- end -}}
{{- include "settings" (mergeOverwrite $presets $params) -}}
{{- end }}

{{/* environment: the variables of one process, from wiring.yaml */}}
{{- define "environment" -}}
{{- range $map, $variables := index (.root.Files.Get "wiring.yaml" | fromYaml) .process }}
{{- range $variable, $key := $variables }}
- name: {{ $variable }}
  valueFrom:
    configMapKeyRef: {name: {{ $map }}, key: {{ $key }}, optional: true}
{{- end }}
{{- end }}
{{- if has .process (list "application-controller" "repo-server" "server") }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef: {name: argocd-redis, key: auth}
{{- end }}
{{- end }}

{{/* pod: the template of a process; its settings are hashed, so a change restarts it */}}
{{- define "pod" -}}
metadata:
  labels:
    {{- include "labels" (dict "name" .name "root" .root) | nindent 4 }}
  annotations:
    checksum/cm: {{ include "settings" .root.Values.configs.cm | sha256sum }}
    checksum/cmd-params: {{ include "params" .root | sha256sum }}
spec:
  serviceAccountName: {{ .name }}
  containers:
    - name: {{ .process }}
      image: quay.io/argoproj/argocd:{{ .root.Chart.AppVersion }}
      args: {{ .args | toJson }}
      env:
        - name: ARGOCD_K8S_NAMESPACE
          value: {{ .root.Release.Namespace }}
        {{- with .env }}{{ toYaml . | nindent 8 }}{{- end }}
        {{- include "environment" . | nindent 8 }}
      ports: {{ .ports | toJson }}
      {{- include "confined" . | nindent 6 }}
      resources: {{ .values.resources | default dict | toJson }}
{{- end }}

{{/* confined: what the Pod Security level "restricted" asks of a container */}}
{{- define "confined" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
{{- end }}
