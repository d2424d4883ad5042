{{/* A Secret and the key that is expected in it, held against the cluster where helm may look. */}}
{{- define "teleport-email.noteOnSecret" -}}
{{- $found := lookup "v1" "Secret" .namespace .name }}
{{- if and $found (not (hasKey (default dict $found.data) .key)) }}

WRONG KEY: the Secret {{ .name }} has no key "{{ .key }}"; it has: {{ keys (default dict $found.data) | sortAlpha | join ", " | default "none" }}.
Nobody is told of anything until this is right. Set {{ .value }} to the right one and run helm upgrade again.
{{- else if and (not $found) .reachable }}

MISSING: there is no Secret {{ .name }} in the namespace {{ .namespace }}. The pod waits until there is.
It needs the key "{{ .key }}" ({{ .value }}).
{{- end }}
{{- end }}

{{- define "teleport-email.notes" -}}
{{- $name := include "teleport-email.fullname" . }}
{{- $secret := include "teleport-email.secretName" . }}
{{- $value := ternary "mailgun.privateKeySecretPath" "smtp.passwordSecretPath" .Values.mailgun.enabled }}
{{- $own := eq $secret (printf "%s-secret" $name) }}
teleport-email tells people by email about access requests of {{ coalesce .Values.teleport.address .Values.tbot.teleportProxyAddress .Values.tbot.teleportAuthAddress }}.

It reads these Secrets of the namespace {{ .Release.Namespace }}:
  {{ include "teleport-email.identitySecret" . }}, key {{ include "teleport-email.identityKey" . }}: the identity ({{ ternary "written by this release's tbot" "teleport.identitySecretName, identitySecretPath" .Values.tbot.enabled }})
{{- if $secret }}
  {{ $secret }}, key {{ include "teleport-email.secretKey" . }}: {{ ternary "Mailgun's sending key" "the SMTP password" .Values.mailgun.enabled }} ({{ ternary "made by this chart" $value $own }})
{{- end }}
{{- $reachable := not (empty (lookup "v1" "Namespace" "" .Release.Namespace)) }}
{{- if not .Values.tbot.enabled }}
{{- include "teleport-email.noteOnSecret" (dict "namespace" .Release.Namespace "reachable" $reachable "name" .Values.teleport.identitySecretName "key" .Values.teleport.identitySecretPath "value" "teleport.identitySecretPath") }}
{{- end }}
{{- if and $secret (not $own) }}
{{- include "teleport-email.noteOnSecret" (dict "namespace" .Release.Namespace "reachable" $reachable "name" $secret "key" (include "teleport-email.secretKey" .) "value" $value) }}
{{- end }}
{{- with include "teleport-email.unknown" . }}

NOT KNOWN: nothing comes of these values: {{ . }}.
{{- end }}
{{- if and .Values.roleToRecipients .Values.delivery.recipients }}

NOT USED: delivery.recipients; roleToRecipients is there, and wins.
{{- end }}
{{- if and (include "teleport-email.needsPassword" .) (eq .Values.smtp.starttlsPolicy "disabled") (eq (dig "smtp" "tls" "auto" .Values.config) "auto") (ne (int .Values.smtp.port) 465) }}

NO TLS: smtp.starttlsPolicy is disabled. If the mail server wants the password in clear text, nothing is sent, unless
config.smtp.allow_plaintext_auth says that the network is to be trusted.
{{- end }}
{{- with include "teleport-email.logVolume" . }}

The log goes to {{ include "teleport-email.logOutput" $ }}, in a directory that is gone with the pod; for another one mount a
volume at {{ . }} (volumes, volumeMounts).
{{- end }}

If a key has another name, the log says which file does not exist, and the pod does not become ready. Look:
  kubectl -n {{ .Release.Namespace }} describe secret {{ include "teleport-email.identitySecret" . }}{{ if and $secret (not $own) }} {{ $secret }}{{ end }}
and set {{ if and $secret (not $own) }}{{ $value }} or {{ end }}teleport.identitySecretPath to the name that stands there:
  auth_id              kubectl create secret generic NAME --from-file=auth_id (Teleport's guide)
  identity             Machine ID (tbot)
{{- if .Values.mailgun.enabled }}
  mailgun-private-key  kubectl create secret generic mailgun-private-key --from-file=mailgun-private-key (the guide)
{{- end }}

Is it well?
  kubectl -n {{ .Release.Namespace }} rollout status deployment/{{ $name }}
  kubectl -n {{ .Release.Namespace }} logs deployment/{{ $name }}
  kubectl -n {{ .Release.Namespace }} exec deployment/{{ $name }} -- teleport-email -c /etc/teleport-email/teleport-email.toml check
  kubectl -n {{ .Release.Namespace }} port-forward deployment/{{ $name }} 8080:{{ .Values.diagnostics.port }}   # then http://localhost:8080/statusz

A renewed identity is used without a restart. A changed password is not:
  kubectl -n {{ .Release.Namespace }} rollout restart deployment/{{ $name }}
{{- end }}
