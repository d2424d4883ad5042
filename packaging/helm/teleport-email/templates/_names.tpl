{{/* Names and labels. */}}

{{- define "teleport-email.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "teleport-email.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What never changes between versions: a Deployment's selector cannot be changed. */}}
{{- define "teleport-email.selectorLabels" -}}
app.kubernetes.io/name: {{ include "teleport-email.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "teleport-email.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "teleport-email.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "teleport-email.image" -}}
{{- if contains "teleport-plugin-email" .Values.image.repository }}
{{- fail "image.repository names the image of Teleport's own plugin, which this chart cannot run: leave it away, or name an image that was built with packaging/container/Dockerfile" }}
{{- end }}
{{- $tag := .Values.image.tag | default .Chart.AppVersion }}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end }}
{{- end }}

{{/* The Secret with the password or key, where there is one. */}}
{{- define "teleport-email.secretName" -}}
{{- $own := printf "%s-secret" (include "teleport-email.fullname" .) }}
{{- if .Values.mailgun.enabled -}}
{{ .Values.mailgun.privateKeyFromSecret | default $own }}
{{- else if include "teleport-email.needsPassword" . }}
{{- if or .Values.smtp.passwordFromSecret .Values.smtp.password (not .Values.smtp.passwordFile) -}}
{{ .Values.smtp.passwordFromSecret | default $own }}
{{- end }}
{{- end }}
{{- end }}

{{- define "teleport-email.secretKey" -}}
{{- if .Values.mailgun.enabled -}}
{{ .Values.mailgun.privateKeySecretPath }}
{{- else -}}
{{ .Values.smtp.passwordSecretPath }}
{{- end }}
{{- end }}

{{/* Not empty: smtp logs in with a password. */}}
{{- define "teleport-email.needsPassword" -}}
{{- $auth := dig "smtp" "auth" "auto" .Values.config }}
{{- if and .Values.smtp.enabled .Values.smtp.username (not (has $auth (list "none" "xoauth2"))) }}yes{{ end }}
{{- end }}
