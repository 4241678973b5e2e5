{{/* What every pod has in common. */}}

{{- define "hearthbeat.pod" -}}
{{- $values := .root.Values -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with $values.scheduling.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.scheduling.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.scheduling.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 $values.user }}
  runAsGroup: {{ int64 $values.user }}
  fsGroup: {{ int64 $values.user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
  - name: tls
    secret:
      secretName: {{ $values.tls.secret }}
      defaultMode: 0440
      items:
        - key: {{ $values.tls.caKey }}
          path: ca.crt
        - key: {{ $values.tls.certificateKey }}
          path: services.pem
{{- range .mounts }}
  - name: {{ .name }} {{- toYaml .volume | nindent 4 }}
{{- end }}
{{- end }}

{{- define "hearthbeat.container" -}}
image: {{ include "hearthbeat.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
resources: {{- toYaml .resources | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  - name: tls
    mountPath: /etc/hearthbeat/tls
    readOnly: true
{{- range .mounts }}
  - name: {{ .name }}
    mountPath: {{ .path }}
    readOnly: {{ .readOnly }}
{{- end }}
{{- end }}

{{/* /readyz says whether a server is waited for; that must start no process anew, so life is an answer of /metrics. */}}
{{- define "hearthbeat.probes" -}}
ports:
  - name: metrics
    containerPort: 9464
{{- if .console }}
  - name: https
    containerPort: 8443
{{- end }}
startupProbe:
  httpGet: { path: /metrics, port: metrics, scheme: HTTPS }
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /metrics, port: metrics, scheme: HTTPS }
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 6
readinessProbe:
{{- if .console }}
  httpGet: { path: /healthz, port: https, scheme: HTTPS }
{{- else }}
  httpGet: { path: /readyz, port: metrics, scheme: HTTPS }
{{- end }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}

{{/* A whole pod template of a service: "env" are lists of it, one after the other; "mounts" beside /tmp and TLS. */}}
{{- define "hearthbeat.service" -}}
{{- $env := list -}}
{{- range .env }}{{ $env = concat $env (fromYamlArray .) }}{{ end -}}
{{- $env = concat $env (include "hearthbeat.env.own" (dict "root" .root "component" .component "given" $env) | fromYamlArray) -}}
metadata:
  labels: {{- include "hearthbeat.labels" . | nindent 4 }}
spec:
  terminationGracePeriodSeconds: 20
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "hearthbeat.selector" . | nindent 10 }}
  {{- include "hearthbeat.pod" . | nindent 2 }}
  containers:
    - name: {{ .component }}
      command: [python, -m]
      args: [services.{{ .component }}]
      {{- include "hearthbeat.container" . | nindent 6 }}
      {{- include "hearthbeat.probes" . | nindent 6 }}
      env: {{- toYaml $env | nindent 8 }}
{{- end }}

{{/* A pod that runs to its end, or waits for commands. */}}
{{- define "hearthbeat.oneShot" -}}
{{- $env := list -}}
{{- range .env }}{{ $env = concat $env (fromYamlArray .) }}{{ end -}}
metadata:
  labels: {{- include "hearthbeat.labels" . | nindent 4 }}
spec:
  restartPolicy: {{ .restartPolicy }}
  {{- include "hearthbeat.pod" . | nindent 2 }}
  containers:
    - name: {{ .component }}
      command: {{ toJson .command }}
      args: {{ toJson .args }}
      {{- include "hearthbeat.container" . | nindent 6 }}
      env: {{- toYaml $env | nindent 8 }}
{{- end }}
