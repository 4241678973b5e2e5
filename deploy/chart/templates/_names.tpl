{{/* Names and labels. Each takes (dict "root" $ "component" "store"), or the root alone where it is said. */}}

{{- define "hearthbeat.name" -}}
{{ .root.Release.Name | trunc 40 | trimSuffix "-" }}-{{ .component }}
{{- end }}

{{- define "hearthbeat.selector" -}}
app.kubernetes.io/name: hearthbeat
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "hearthbeat.labels" -}}
{{ include "hearthbeat.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* The image; "tag" may name another release. */}}
{{- define "hearthbeat.image" -}}
{{- $image := .root.Values.image -}}
{{- if and $image.digest (not .tag) -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ .tag | default $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The address of a pod of a StatefulSet, with its ordinal in "number". */}}
{{- define "hearthbeat.podAddress" -}}
{{ .pod }}-{{ .number }}.{{ include "hearthbeat.name" . }}.{{ .root.Release.Namespace }}.svc
{{- end }}

{{/* The ports of host:port in "hosts", each once, as a JSON list. */}}
{{- define "hearthbeat.ports" -}}
{{- $ports := list -}}
{{- range .hosts }}{{ $ports = append $ports (regexFind "[0-9]+$" . | int) }}{{ end -}}
{{ $ports | uniq | toJson }}
{{- end }}

{{/* Takes the root. Ends where the lists of shards leave one out, or give one to two instances. */}}
{{- define "hearthbeat.checkShards" -}}
{{- $next := 0 -}}
{{- range $number, $own := .Values.ingest.shards -}}
{{- if or (ne (int $own.first) $next) (lt (int $own.last) (int $own.first)) -}}
{{- fail (printf "ingest.shards: instance %d begins with shard %d and ends with %d, but the next one is %d" $number (int $own.first) (int $own.last) $next) -}}
{{- end -}}
{{- $next = add1 (int $own.last) | int -}}
{{- end -}}
{{- if ne $next 64 -}}
{{- fail (printf "ingest.shards: nobody has shards %d to 63" $next) -}}
{{- end -}}
{{- end }}
