{{/* What every pod of the chart shares, services and migrations. Called with the root. */}}
{{- define "ror.podSecurity" -}}
automountServiceAccountToken: false
# Otherwise Kubernetes adds variables ROR_…_PORT, which would be read as settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "ror.containerBase" -}}
image: {{ include "ror.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/*
Settings of a pod, each name once: those in the clear, those from Secrets, and over both what the values
add. Called with (dict "root" "component" "migrate"); a migration needs the logs and the database only.
*/}}
{{- define "ror.env" -}}
{{- $values := .root.Values }}
{{- $component := .component }}
{{- $clear := dict "ROR_LOG__FORMAT" $values.log.format "ROR_LOG__FILTER" $values.log.filter }}
{{- $secret := dict }}
{{- if $component.database }}
  {{- $_ := set $secret "ROR_DATABASE__URL" $component.values.database }}
  {{- if $values.postgresql.ca.existingSecret }}
    {{- $_ := set $clear "PGSSLROOTCERT" "/etc/ror/postgresql/ca.crt" }}
  {{- end }}
{{- end }}
{{- if not .migrate }}
  {{- if eq $component.name "gateway" }}
    {{- $_ := set $clear "ROR_HTTP__ADDR" "0.0.0.0:8080" }}
    {{- if $component.values.tmpSize }}
      {{- $_ := set $clear "ROR_IMAGE__DIR" "/tmp/image" }}
    {{- end }}
    {{- if $values.http.tls.existingSecret }}
      {{- $_ := set $clear "ROR_HTTP__TLS_ADDR" "0.0.0.0:8443" }}
      {{- $_ := set $clear "ROR_HTTP__TLS_CERT" "/etc/ror/http/tls.crt" }}
      {{- $_ := set $clear "ROR_HTTP__TLS_KEY" "/etc/ror/http/tls.key" }}
      {{- if $values.http.tls.clientCA.existingSecret }}
        {{- $_ := set $clear "ROR_HTTP__CLIENT_CA" "/etc/ror/http-client-ca/ca.crt" }}
      {{- end }}
    {{- end }}
  {{- else }}
    {{- $_ := set $clear "ROR_ADMIN__ADDR" "0.0.0.0:9090" }}
  {{- end }}
  {{- if $component.grpc }}
    {{- $_ := set $clear "ROR_GRPC__ADDR" "0.0.0.0:50051" }}
  {{- end }}
  {{- if $values.nats.existingSecret }}
    {{- $_ := set $secret "ROR_NATS__URL" (pick $values.nats "existingSecret" "key") }}
  {{- else }}
    {{- $_ := set $clear "ROR_NATS__URL" $values.nats.url }}
  {{- end }}
  {{- with $values.otlp.endpoint }}
    {{- $_ := set $clear "ROR_OTLP__ENDPOINT" . }}
  {{- end }}
  {{- if $values.tls.enabled }}
    {{- $_ := set $clear "ROR_TLS__CERT" "/etc/ror/tls/tls.crt" }}
    {{- $_ := set $clear "ROR_TLS__KEY" "/etc/ror/tls/tls.key" }}
    {{- $_ := set $clear "ROR_TLS__CA" "/etc/ror/tls/ca.crt" }}
  {{- end }}
  {{- $scheme := ternary "https" "http" $values.tls.enabled }}
  {{- range $component.calls }}
    {{- $_ := set $clear (printf "ROR_UPSTREAM__%s" (upper .)) (printf "%s://%s:50051" $scheme (include "ror.callee" (dict "root" $.root "name" .))) }}
  {{- end }}
  {{- if eq $component.name "bascule" }}
    {{- $_ := set $clear "ROR_BASCULE__FILE" "/etc/ror/bascule/bascule.yaml" }}
  {{- end }}
  {{- range $name, $value := $component.values.env }}
    {{- $_ := set $clear $name $value }}
    {{- $_ := unset $secret $name }}
  {{- end }}
  {{- range $name, $ref := $component.values.secretEnv }}
    {{- $_ := set $secret $name $ref }}
    {{- $_ := unset $clear $name }}
  {{- end }}
{{- end }}
{{- range $name, $value := $clear }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- range $name, $ref := $secret }}
- name: {{ $name }}
  valueFrom: { secretKeyRef: { name: {{ $ref.existingSecret }}, key: {{ $ref.key | quote }} } }
{{- end }}
{{- end }}

{{/*
Volumes of a pod: (dict "root" "component" "migrate") gives a list of name, path and source, mounted read-only
unless `writable`.
*/}}
{{- define "ror.files" -}}
{{- $values := .root.Values }}
{{- $component := .component }}
{{- if and $component.database $values.postgresql.ca.existingSecret }}
- name: postgresql-ca
  path: /etc/ror/postgresql
  source:
    secret:
      secretName: {{ $values.postgresql.ca.existingSecret }}
      defaultMode: 0440
      items: [{ key: {{ $values.postgresql.ca.key | quote }}, path: ca.crt }]
{{- end }}
{{- if not .migrate }}
{{- with $component.values.tmpSize }}
- name: tmp
  path: /tmp
  writable: true
  source: { emptyDir: { sizeLimit: {{ . | quote }} } }
{{- end }}
{{- if $values.tls.enabled }}
- name: tls
  path: /etc/ror/tls
  source: { secret: { secretName: {{ default $values.tls.existingSecret $component.values.tlsSecret }}, defaultMode: 0440 } }
{{- end }}
{{- if and (eq $component.name "gateway") $values.http.tls.existingSecret }}
- name: http-tls
  path: /etc/ror/http
  source: { secret: { secretName: {{ $values.http.tls.existingSecret }}, defaultMode: 0440 } }
{{- with $values.http.tls.clientCA }}
{{- if .existingSecret }}
- name: http-client-ca
  path: /etc/ror/http-client-ca
  source: { secret: { secretName: {{ .existingSecret }}, defaultMode: 0440, items: [{ key: {{ .key | quote }}, path: ca.crt }] } }
{{- end }}
{{- end }}
{{- end }}
{{- if eq $component.name "bascule" }}
- name: bascule
  path: /etc/ror/bascule
  source: { configMap: { name: {{ include "ror.fullname" .root }}-bascule } }
{{- range $code, $region := $values.bascule.regions }}
{{- with ($region.legacy | default dict).secretRef }}
# Optional: a missing Secret stops the connector of this region, not the service.
- name: legacy-{{ $code }}
  path: /run/secrets/ror/legacy/{{ $code }}
  source: { secret: { secretName: {{ . }}, defaultMode: 0440, optional: true } }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
