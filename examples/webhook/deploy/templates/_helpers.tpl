{{- /* The namespace of all objects. */}}
{{- define "podsecrets.namespace" -}}
{{ .Values.namespace | default .Release.Namespace }}
{{- end }}

{{- /* The metadata of an object in the namespace, without a name. */}}
{{- define "podsecrets.metadata" -}}
namespace: {{ include "podsecrets.namespace" . }}
labels:
  app.kubernetes.io/part-of: podsecrets
{{- end }}

{{- define "podsecrets.selector" -}}
app.kubernetes.io/name: {{ .Values.name }}
{{- end }}

{{- /* The configuration of the values, with the names, ports and directories of the other templates. */}}
{{- define "podsecrets.config" -}}
{{- $set := dict
  "namespace" (include "podsecrets.namespace" .)
  "service" .Values.name
  "webhookConfiguration" .Values.webhookConfiguration
  "validatingConfiguration" .Values.validatingConfiguration
  "listen" (dict "webhook" ":9443" "probes" ":8081" "metrics" ":8080")
  "certificate" (dict "secret" (printf "%s-tls" .Values.name) "dir" "/run/podsecrets") -}}
{{ mergeOverwrite (deepCopy .Values.config) $set | toYaml }}
{{- end }}

{{- /* The common settings of both webhooks. */}}
{{- define "podsecrets.webhook" -}}
admissionReviewVersions: [v1]
rules:
  - operations: [CREATE]
    apiGroups: [""]
    apiVersions: [v1]
    resources: [pods]
    scope: Namespaced
matchPolicy: Equivalent
{{- if .Values.labels }}
objectSelector:
  matchLabels:
    inject-flyte-secrets: "true"
{{- else }}
# Pods that request secrets, whatever their labels.
matchConditions:
  - name: asks-for-secrets
    expression: >-
      has(object.metadata.annotations) && object.metadata.annotations.exists(name,
      name.matches('^(flyte[.]secrets/|(?i:request[.]podsecrets[.]dev/))'))
{{- end }}
namespaceSelector: # its own Pods must start without it
  matchExpressions:
    - key: kubernetes.io/metadata.name
      operator: NotIn
      values: [{{ include "podsecrets.namespace" . }}]
failurePolicy: Fail
sideEffects: None
timeoutSeconds: 5
{{- end }}
