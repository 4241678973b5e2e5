{{/* What a process is set up with: lists of `env`. Each takes (dict "root" $ "component" …). */}}

{{- define "hearthbeat.fromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}

{{- define "hearthbeat.env.shared" -}}
- name: HB_LOG_LEVEL
  value: {{ .root.Values.logLevel }}
- name: HB_TLS_CA_FILE
  value: /etc/hearthbeat/tls/ca.crt
- name: HB_TLS_CERTIFICATE_FILE
  value: /etc/hearthbeat/tls/services.pem
{{- end }}

{{- define "hearthbeat.env.metrics" -}}
- name: HB_METRICS_HOST
  value: 0.0.0.0
- name: HB_METRICS_PORT
  value: "9464"
{{- end }}

{{/* Signs in as the role of a service, or as "login"; the password comes from the key "key" of the Secret. */}}
{{- define "hearthbeat.env.database" -}}
{{- $database := .root.Values.database -}}
{{ include "hearthbeat.fromSecret" (dict "name" "DATABASE_PASSWORD" "secret" $database.secret "key" (.key | default .component)) }}
- name: HB_DB_DSN
  value: postgresql://{{ .login | default (printf "hearthbeat_%s" .component) }}:$(DATABASE_PASSWORD)@{{ join "," $database.hosts }}/{{ $database.name }}?target_session_attrs=read-write
{{- end }}

{{/* Every service's password, for who gives them out. */}}
{{- define "hearthbeat.env.logins" -}}
{{- $database := .root.Values.database -}}
{{- $logins := list -}}
{{- range list "ingest" "store" "score" "medication" "alert" "api" "watch" }}
{{ include "hearthbeat.fromSecret" (dict "name" (printf "DATABASE_PASSWORD_%s" (upper .)) "secret" $database.secret "key" .) }}
{{- $logins = append $logins (printf "%s:\"$(DATABASE_PASSWORD_%s)\"" (quote .) (upper .)) }}
{{- end }}
- name: HB_DB_PASSWORDS
  value: {{ printf "{%s}" (join "," $logins) | squote }}
{{- end }}

{{- define "hearthbeat.env.kafka" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $user := .user | default .component -}}
- name: HB_BUS_KIND
  value: kafka
- name: HB_BUS_KAFKA
  value: {{ join "," $kafka.hosts }}
- name: HB_BUS_PARTITIONS
  value: {{ $kafka.partitions | quote }}
- name: HB_BUS_REPLICATION
  value: {{ $kafka.replication | quote }}
- name: HB_BUS_USER
  value: {{ $user }}
{{ include "hearthbeat.fromSecret" (dict "name" "HB_BUS_PASSWORD" "secret" $kafka.secret "key" $user) }}
{{- end }}

{{/* The secrets of the connections in "users", and of no other. */}}
{{- define "hearthbeat.env.broker" -}}
{{- $broker := .root.Values.broker -}}
{{- $known := list -}}
- name: HB_MQTT_HOST
  value: {{ $broker.host }}
- name: HB_MQTT_PORT
  value: {{ $broker.port | quote }}
{{- with $broker.serverName }}
- name: HB_MQTT_SERVER_NAME
  value: {{ . }}
{{- end }}
{{- range $number, $user := .users }}
{{ include "hearthbeat.fromSecret" (dict "name" (printf "BROKER_PASSWORD_%d" $number) "secret" $broker.secret "key" $user) }}
{{- $known = append $known (printf "%s:\"$(BROKER_PASSWORD_%d)\"" (quote $user) $number) }}
{{- end }}
- name: HB_MQTT_PASSWORDS
  value: {{ printf "{%s}" (join "," $known) | squote }}
{{- end }}

{{/* The instance of a member of a StatefulSet: the number of its pod. "setting" is its name. */}}
{{- define "hearthbeat.env.number" -}}
- name: {{ .setting }}
  valueFrom:
    fieldRef:
      fieldPath: metadata.labels['apps.kubernetes.io/pod-index']
{{- end }}

{{- define "hearthbeat.env.anchors" -}}
{{- if .root.Values.api.anchors.claim -}}
- name: HB_API_AUDIT_ANCHORS
  value: /var/lib/hearthbeat/audit
{{- end }}
{{- end }}

{{- define "hearthbeat.env.secondFactorKeys" -}}
{{- if .root.Values.api.secondFactorKeys.secret -}}
- name: HB_API_SECOND_FACTOR_KEY_FILE
  value: /etc/hearthbeat/second-factor/second-factor.keys
{{- end }}
{{- end }}

{{- define "hearthbeat.env.webhookKeys" -}}
{{- if .root.Values.alert.webhookKeys.secret -}}
- name: HB_ALERT_WEBHOOK_KEY_FILE
  value: /etc/hearthbeat/webhook/webhook.keys
{{- end }}
{{- end }}

{{/* Settings of the operator's own. "given" are those that the chart has set. Ends at a name that the service has not. */}}
{{- define "hearthbeat.env.own" -}}
{{- $component := .component -}}
{{- $own := index .root.Values .component -}}
{{- $known := .root.Files.Get "files/settings.json" | fromJson | dig .component dict -}}
{{- $given := list -}}
{{- range .given }}{{ $given = append $given .name }}{{ end -}}
{{- range $name, $value := $own.settings -}}
{{- include "hearthbeat.checkSetting" (dict "component" $component "name" $name "known" $known "given" $given "isSecret" false) }}
- name: {{ $name }}
  value: {{ toString $value | quote }}
{{- end -}}
{{- range $name, $from := $own.secretSettings -}}
{{- include "hearthbeat.checkSetting" (dict "component" $component "name" $name "known" $known "given" $given "isSecret" true) }}
{{ include "hearthbeat.fromSecret" (dict "name" $name "secret" $from.secret "key" $from.key) }}
{{- end -}}
{{- end }}

{{- define "hearthbeat.checkSetting" -}}
{{- if not (hasKey .known .name) -}}
{{- fail (printf "%s: %s is no setting of it" .component .name) -}}
{{- end -}}
{{- if has .name .given -}}
{{- fail (printf "%s: %s follows from other values of the chart" .component .name) -}}
{{- end -}}
{{- $needs := index .known .name -}}
{{- if and $needs (not .isSecret) -}}
{{- fail (printf "%s: %s is secret; name the Secret that holds it in secretSettings" .component .name) -}}
{{- end -}}
{{- end }}
