{{/*
What the code is, and no operator chooses: which services exist, who calls whom, who owns a schema
(and so a database and a migrate Job), in the order of the migrations. NetworkPolicies, upstream
addresses and Jobs all come from here; adding a service is one entry here and one in the values.
*/}}
{{- define "ror.catalogue" -}}
nomenclatures: { order: 1, database: true, calls: [structures, offers, capacity] }
access:        { order: 2, database: true, calls: [] }
identity:      { order: 3, database: true, calls: [nomenclatures] }
structures:    { order: 4, database: true, calls: [nomenclatures, identity] }
offers:        { order: 5, database: true, calls: [nomenclatures, structures, identity] }
capacity:      { order: 6, database: true, calls: [nomenclatures, offers] }
bascule:       { order: 7, database: true, calls: [structures, offers, capacity] }
gateway:       { order: 8, database: false, calls: [nomenclatures, access, identity, structures, offers, capacity, bascule, gateway] }
{{- end }}

{{/*
The catalogue of this release: without bascule, nothing names it. Each entry gains its name, whether it answers
gRPC, the port name of its probes and metrics, and its values (defaults, then its own). Called with the root.
*/}}
{{- define "ror.components" -}}
{{- $all := include "ror.catalogue" . | fromYaml }}
{{- $components := dict }}
{{- range $name, $facts := $all }}
  {{- if or (ne $name "bascule") $.Values.bascule.enabled }}
    {{- $calls := $facts.calls }}
    {{- if not $.Values.bascule.enabled }}
      {{- $calls = without $calls "bascule" }}
    {{- end }}
    {{- $values := mergeOverwrite (deepCopy $.Values.defaults) (deepCopy (index $.Values.services $name)) }}
    {{- /* Replicas give each other the image of the directory: without a folder for it, there is none. */}}
    {{- if not $values.tmpSize }}
      {{- $calls = without $calls $name }}
    {{- end }}
    {{- $_ := set $components $name (dict
        "name" $name
        "order" $facts.order
        "database" $facts.database
        "calls" $calls
        "grpc" (or (ne $name "gateway") (has "gateway" $calls))
        "health" (ternary "http" "admin" (eq $name "gateway"))
        "values" $values) }}
  {{- end }}
{{- end }}
{{- toYaml $components }}
{{- end }}

{{/* The name that a service is called by; that of the gateway has the address of each of its replicas. */}}
{{- define "ror.callee" -}}
{{ include "ror.fullname" .root }}-{{ .name }}{{ if eq .name "gateway" }}-peers{{ end }}
{{- end }}


{{/* States of a region, in order; from FROZEN on it has a date and a return path. */}}
{{- define "ror.states" -}}
REGISTERED MIRRORED ENRICHED REHEARSING SHADOWING READY {{ include "ror.statesFromFrozen" . }}
{{- end }}
{{- define "ror.statesFromFrozen" -}}
FROZEN LOADED NATIONAL_PRIMARY STABILISED LEGACY_RETIRED CLOSED
{{- end }}
