{{/*
One policy per service, both directions, from the call graph of the catalogue. Peers left empty in the
values mean any address, on that port only.
*/}}
{{- define "ror.networkPolicy" -}}
{{- $root := .root }}
{{- $component := .component }}
{{- $gateway := eq $component.name "gateway" }}
{{- $callers := list }}
{{- range $name, $other := .components }}
  {{- if has $component.name $other.calls }}
    {{- $callers = append $callers $name }}
  {{- end }}
{{- end }}
{{- with $root.Values.networkPolicy }}
{{- if .enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "ror.metadata" $ | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "ror.selector" (dict "root" $root "component" $component.name) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- if $gateway }}
    # Consumers.
    - ports:
        - { port: 8080, protocol: TCP }
        {{- if $root.Values.http.tls.existingSecret }}
        - { port: 8443, protocol: TCP }
        {{- end }}
      {{- with .gatewayFrom }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
    {{- with $callers }}
    # Callers.
    - ports: [{ port: 50051, protocol: TCP }]
      from:
        - podSelector:
            {{- include "ror.selectorOfMany" (dict "root" $root "components" .) | nindent 12 }}
    {{- end }}
    # Metrics.
    - ports: [{ port: {{ ternary 8080 9090 $gateway }}, protocol: TCP }]
      {{- with .metricsFrom }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
  egress:
    {{- include "ror.egressDns" $root | nindent 4 }}
    {{- with $component.calls }}
    # Called services.
    - ports: [{ port: 50051, protocol: TCP }]
      to:
        - podSelector:
            {{- include "ror.selectorOfMany" (dict "root" $root "components" .) | nindent 12 }}
    {{- end }}
    {{- if $component.database }}
    {{- include "ror.egressOutside" (dict "what" "PostgreSQL" "peer" $root.Values.postgresql) | nindent 4 }}
    {{- end }}
    {{- include "ror.egressOutside" (dict "what" "NATS" "peer" $root.Values.nats) | nindent 4 }}
    {{- if $root.Values.otlp.endpoint }}
    {{- include "ror.egressOutside" (dict "what" "Traces" "peer" $root.Values.otlp) | nindent 4 }}
    {{- end }}
    {{- with $component.values.extraEgress }}
    # From the values.
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ror.egressDns" -}}
# DNS.
- ports:
    {{- range .Values.networkPolicy.dnsPorts }}
    - { port: {{ . }}, protocol: UDP }
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
{{- end }}

{{/* Something outside the chart, given by port and peers. */}}
{{- define "ror.egressOutside" -}}
# {{ .what }}.
- ports: [{ port: {{ .peer.port }}, protocol: TCP }]
  {{- with .peer.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
