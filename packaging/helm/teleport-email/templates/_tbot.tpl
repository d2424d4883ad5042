{{/* Machine ID beside the daemon (tbot.enabled): names, configuration, and the identity that it writes. */}}

{{- define "teleport-email.tbotName" -}}
{{- $name := default "tbot" .Values.tbot.nameOverride }}
{{- default (printf "%s-%s" .Release.Name $name) .Values.tbot.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "teleport-email.tbotSelectorLabels" -}}
app.kubernetes.io/name: {{ default "tbot" .Values.tbot.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: tbot
{{- end }}

{{- define "teleport-email.tbotLabels" -}}
{{ include "teleport-email.tbotSelectorLabels" . }}
app.kubernetes.io/version: {{ default "17" .Values.tbot.teleportVersionOverride | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "teleport-email.tbotImage" -}}
{{ .Values.tbot.image }}:{{ default "17" .Values.tbot.teleportVersionOverride }}
{{- end }}

{{/* The Secret with the identity, and the key in it: what tbot writes, where the values name none. */}}
{{- define "teleport-email.identitySecret" -}}
{{- if .Values.tbot.enabled -}}
{{ printf "%s-out" (include "teleport-email.tbotName" .) }}
{{- else -}}
{{ .Values.teleport.identitySecretName }}
{{- end }}
{{- end }}

{{- define "teleport-email.identityKey" -}}
{{- if .Values.tbot.enabled }}identity{{ else }}{{ .Values.teleport.identitySecretPath }}{{ end }}
{{- end }}

{{- define "teleport-email.tbotConfig" -}}
version: v2
{{- if .Values.tbot.teleportProxyAddress }}
proxy_server: {{ .Values.tbot.teleportProxyAddress | quote }}
{{- else }}
auth_server: {{ .Values.tbot.teleportAuthAddress | quote }}
{{- end }}
onboarding:
  join_method: {{ .Values.tbot.joinMethod | quote }}
  token: {{ .Values.tbot.token | quote }}
storage:
  type: memory
# Each version of tbot makes it valid for an hour and renews it after 20 minutes, but for the key that says so.
services:
  - type: identity
    destination:
      type: kubernetes_secret
      name: {{ include "teleport-email.identitySecret" . }}
{{- end }}
