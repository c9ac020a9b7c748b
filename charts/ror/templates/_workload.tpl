{{/* All the objects of one service. Called with (dict "root" $ "component" … "components" …). */}}
{{- define "ror.workload" -}}
{{- range $kind := list "serviceAccount" "deployment" "service" "peers" "podDisruptionBudget" "autoscaler" "networkPolicy" "serviceMonitor" }}
{{- with include (printf "ror.%s" $kind) $ | trim }}
---
{{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "ror.metadata" -}}
name: {{ include "ror.fullname" .root }}-{{ .component.name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "ror.labels" (dict "root" .root "component" .component.name) | nindent 2 }}
{{- end }}

{{- define "ror.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "ror.metadata" . | nindent 2 }}
  {{- with .component.values.serviceAccountAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}

{{- define "ror.deployment" -}}
{{- $root := .root }}
{{- $component := .component }}
{{- $values := $component.values }}
{{- $selector := include "ror.selector" (dict "root" $root "component" $component.name) }}
{{- $files := include "ror.files" . | fromYamlArray }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "ror.metadata" . | nindent 2 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  # A rollout waits for the new pod to be ready, however long it loads.
  progressDeadlineSeconds: {{ add $values.startupSeconds 300 }}
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  selector:
    matchLabels:
      {{- $selector | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "ror.podLabels" (dict "root" $root "component" $component.name) | nindent 8 }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- $annotations := deepCopy $values.podAnnotations }}
      {{- if eq $component.name "bascule" }}
      {{- $_ := set $annotations "checksum/bascule" (include "ror.basculeFile" $root | sha256sum) }}
      {{- end }}
      {{- with $annotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "ror.fullname" $root }}-{{ $component.name }}
      {{- include "ror.podSecurity" $root | nindent 6 }}
      # 5 s for the Service to forget the pod, then a drain of 23 s.
      terminationGracePeriodSeconds: 30
      {{- with $values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      containers:
        - name: {{ $component.name }}
          {{- include "ror.containerBase" $root | nindent 10 }}
          args: [serve, {{ $component.name }}]
          ports:
            {{- if eq $component.name "gateway" }}
            - { name: http, containerPort: 8080 }
            {{- if $root.Values.http.tls.existingSecret }}
            - { name: https, containerPort: 8443 }
            {{- end }}
            {{- else }}
            - { name: admin, containerPort: 9090 }
            {{- end }}
            {{- if $component.grpc }}
            - { name: grpc, containerPort: 50051 }
            {{- end }}
          env:
            {{- include "ror.env" . | trim | nindent 12 }}
          startupProbe:
            httpGet: { path: /ready, port: {{ $component.health }} }
            periodSeconds: 5
            timeoutSeconds: 2
            failureThreshold: {{ max 1 (div $values.startupSeconds 5) }}
          readinessProbe:
            httpGet: { path: /ready, port: {{ $component.health }} }
            periodSeconds: 5
            timeoutSeconds: 2
            failureThreshold: 2
          livenessProbe:
            httpGet: { path: /live, port: {{ $component.health }} }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          lifecycle:
            preStop: { sleep: { seconds: 5 } }
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          {{- with $files }}
          volumeMounts:
            {{- range . }}
            - { name: {{ .name }}, mountPath: {{ .path }}, readOnly: {{ not .writable }} }
            {{- end }}
          {{- end }}
      {{- with $files }}
      volumes:
        {{- range . }}
        - name: {{ .name }}
          {{- toYaml .source | nindent 10 }}
        {{- end }}
      {{- end }}
      {{- with include "ror.topologySpread" . | trim }}
      topologySpreadConstraints:
        {{- . | nindent 8 }}
      {{- end }}
      {{- with $values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}

{{- define "ror.topologySpread" -}}
{{- $selector := include "ror.selector" (dict "root" .root "component" .component.name) }}
{{- $spread := .component.values.topologySpread }}
{{- range $key, $label := dict "node" "kubernetes.io/hostname" "zone" "topology.kubernetes.io/zone" }}
{{- $when := index $spread $key }}
{{- if ne $when "off" }}
- maxSkew: 1
  topologyKey: {{ $label }}
  whenUnsatisfiable: {{ $when }}
  labelSelector:
    matchLabels:
      {{- $selector | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}
{{- end }}

{{- define "ror.service" -}}
{{- $gateway := eq .component.name "gateway" }}
{{- $http := .root.Values.http }}
apiVersion: v1
kind: Service
metadata:
  {{- include "ror.metadata" . | nindent 2 }}
  {{- if and $gateway $http.service.annotations }}
  annotations:
    {{- toYaml $http.service.annotations | nindent 4 }}
  {{- end }}
spec:
  type: {{ ternary $http.service.type "ClusterIP" $gateway }}
  {{- if $gateway }}
  # A walk of pages, a moment and an export belong to the replica that gave them.
  sessionAffinity: ClientIP
  sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } }
  {{- end }}
  selector:
    {{- include "ror.selector" (dict "root" .root "component" .component.name) | nindent 4 }}
  ports:
    {{- if $gateway }}
    - { name: http, port: 80, targetPort: http, appProtocol: http }
    {{- if $http.tls.existingSecret }}
    - { name: https, port: 443, targetPort: https, appProtocol: https }
    {{- end }}
    {{- else }}
    - { name: grpc, port: 50051, targetPort: grpc, appProtocol: {{ ternary "https" "kubernetes.io/h2c" .root.Values.tls.enabled }} }
    - { name: admin, port: 9090, targetPort: admin, appProtocol: http }
    {{- end }}
{{- end }}

{{/* Where the gateway calls its own replicas: each by its address, and those alone that are ready. */}}
{{- define "ror.peers" -}}
{{- if has .component.name .component.calls }}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "ror.callee" (dict "root" .root "name" .component.name) }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "ror.labels" (dict "root" .root "component" .component.name) | nindent 4 }}
spec:
  clusterIP: None
  selector:
    {{- include "ror.selector" (dict "root" .root "component" .component.name) | nindent 4 }}
  ports:
    - { name: grpc, port: 50051, targetPort: grpc, appProtocol: {{ ternary "https" "kubernetes.io/h2c" .root.Values.tls.enabled }} }
{{- end }}
{{- end }}

{{- define "ror.podDisruptionBudget" -}}
{{- if .component.values.podDisruptionBudget.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "ror.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .component.values.podDisruptionBudget.maxUnavailable }}
  # A pod that never became ready must not block the drain of a node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "ror.selector" (dict "root" .root "component" .component.name) | nindent 6 }}
{{- end }}
{{- end }}

{{- define "ror.autoscaler" -}}
{{- with .component.values.autoscaling }}
{{- if .enabled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "ror.metadata" $ | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "ror.fullname" $.root }}-{{ $.component.name }} }
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: {{ .targetCPUPercent }} } }
  behavior:
    # A replica that goes takes walks and exports with it: give it up late.
    scaleDown: { stabilizationWindowSeconds: 900 }
{{- end }}
{{- end }}
{{- end }}

{{- define "ror.serviceMonitor" -}}
{{- with .root.Values.serviceMonitor }}
{{- if .enabled }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "ror.metadata" $ | nindent 2 }}
  {{- with .labels }}
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "ror.selector" (dict "root" $.root "component" $.component.name) | nindent 6 }}
  namespaceSelector: { matchNames: [{{ $.root.Release.Namespace }}] }
  endpoints:
    - { port: {{ $.component.health }}, path: /metrics, interval: {{ .interval }} }
{{- end }}
{{- end }}
{{- end }}
