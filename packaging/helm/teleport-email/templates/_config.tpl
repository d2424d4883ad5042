{{/* teleport-email.toml, from the values. Strings are written as JSON, which TOML reads the same way. */}}

{{- define "teleport-email.config" -}}
{{- include "teleport-email.checkValues" . }}
{{- $teleport := dict
      "addr" (coalesce .Values.teleport.address .Values.tbot.teleportProxyAddress .Values.tbot.teleportAuthAddress)
      "identity" (printf "/var/lib/teleport-email/identity/%s" (include "teleport-email.identityKey" .))
      "refresh_identity" true }}
{{- $delivery := dict "sender" .Values.delivery.sender }}
{{- $log := dict "output" .Values.log.output "severity" .Values.log.severity }}
{{- $diagnostics := dict "addr" (printf ":%v" .Values.diagnostics.port) "allow_remote" true }}
{{- $all := dict "teleport" $teleport "delivery" $delivery "log" $log "diagnostics" $diagnostics }}
{{- $secret := printf "/var/lib/teleport-email/secret/%s" (include "teleport-email.secretKey" .) }}
{{- if .Values.mailgun.enabled }}
{{- $_ := set $all "mailgun" (dict "domain" .Values.mailgun.domain "private_key_file" $secret) }}
{{- else }}
{{- $smtp := dict "host" .Values.smtp.host "port" .Values.smtp.port "starttls_policy" .Values.smtp.starttlsPolicy }}
{{- if .Values.smtp.username }}
{{- $_ := set $smtp "username" .Values.smtp.username }}
{{- end }}
{{- if include "teleport-email.needsPassword" . }}
{{- $_ := set $smtp "password_file" (ternary $secret .Values.smtp.passwordFile (ne (include "teleport-email.secretName" .) "")) }}
{{- end }}
{{- $_ := set $all "smtp" $smtp }}
{{- end }}
{{- if .Values.roleToRecipients }}
{{- $_ := set $all "role_to_recipients" .Values.roleToRecipients }}
{{- else }}
{{- $_ := set $delivery "recipients" .Values.delivery.recipients }}
{{- end }}
{{- $all = mergeOverwrite $all (deepCopy .Values.config) }}
{{- include "teleport-email.toml" (dict "path" "" "table" $all) | trim }}
{{- end }}

{{/* One table: first its own keys, then its sub-tables, each under its whole name. */}}
{{- define "teleport-email.toml" -}}
{{- $path := .path }}
{{- if $path }}

[{{ $path }}]
{{- end }}
{{- range $key, $value := .table }}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value)) }}
{{ include "teleport-email.key" $key }} = {{ toJson $value }}
{{- end }}
{{- end }}
{{- range $key, $value := .table }}
{{- if kindIs "map" $value }}
{{- $name := include "teleport-email.key" $key }}
{{- include "teleport-email.toml" (dict "path" (ternary (printf "%s.%s" $path $name) $name (ne $path "")) "table" $value) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "teleport-email.key" -}}
{{- if regexMatch "^[A-Za-z0-9_-]+$" . }}{{ . }}{{ else }}{{ toJson . }}{{ end }}
{{- end }}

{{/* Everything that would only show when the pod does not start. */}}
{{- define "teleport-email.checkValues" -}}
{{- $v := .Values }}
{{- $faults := list }}
{{- if $v.tbot.enabled }}
{{- if and (eq $v.tbot.joinMethod "kubernetes") (not $v.tbot.clusterName) }}
{{- $faults = append $faults "tbot.clusterName: write the cluster's name; tbot's proof is made out for it" }}
{{- end }}
{{- if not $v.tbot.token }}
{{- $faults = append $faults "tbot.token: name the join token of the bot" }}
{{- end }}
{{- if not (or $v.tbot.teleportProxyAddress $v.tbot.teleportAuthAddress) }}
{{- $faults = append $faults "tbot.teleportProxyAddress: write the Proxy's address with its port (or tbot.teleportAuthAddress)" }}
{{- end }}
{{- if and $v.tbot.teleportProxyAddress $v.tbot.teleportAuthAddress }}
{{- $faults = append $faults "tbot.teleportProxyAddress, tbot.teleportAuthAddress: keep one of the two" }}
{{- end }}
{{- if not (dig "enabled" true $v.tbot.defaultOutput) }}
{{- $faults = append $faults "tbot.defaultOutput.enabled: must be true: without an output there is no identity" }}
{{- end }}
{{- end }}
{{- if not (coalesce $v.teleport.address $v.tbot.teleportProxyAddress $v.tbot.teleportAuthAddress) }}
{{- $faults = append $faults "teleport.address: write the cluster's address with its port, such as teleport.example.com:443" }}
{{- end }}
{{- if not (or $v.tbot.enabled $v.teleport.identitySecretName) }}
{{- $faults = append $faults "teleport.identitySecretName: name the Secret that holds the identity file" }}
{{- end }}
{{- if not (or $v.tbot.enabled $v.teleport.identitySecretPath) }}
{{- $faults = append $faults "teleport.identitySecretPath: name the key in that Secret (auth_id; Machine ID: identity)" }}
{{- end }}
{{- if and $v.mailgun.enabled $v.smtp.enabled }}
{{- $faults = append $faults "mailgun.enabled, smtp.enabled: enable one of the two" }}
{{- else if $v.mailgun.enabled }}
{{- if not $v.mailgun.domain }}
{{- $faults = append $faults "mailgun.domain: write the domain that is set up with Mailgun" }}
{{- end }}
{{- if not (or $v.mailgun.privateKey $v.mailgun.privateKeyFromSecret) }}
{{- $faults = append $faults "mailgun.privateKeyFromSecret: name the Secret with the sending key (or write the key as mailgun.privateKey)" }}
{{- end }}
{{- else if $v.smtp.enabled }}
{{- if not $v.smtp.host }}
{{- $faults = append $faults "smtp.host: write the mail server's name" }}
{{- end }}
{{- if and (include "teleport-email.needsPassword" .) (not (or $v.smtp.password $v.smtp.passwordFromSecret $v.smtp.passwordFile)) }}
{{- $faults = append $faults "smtp.passwordFromSecret: name the Secret with the password of smtp.username (or write it as smtp.password; for a relay without login leave smtp.username empty)" }}
{{- end }}
{{- else }}
{{- $faults = append $faults "mailgun.enabled, smtp.enabled: enable one of the two and say how mail is to be sent" }}
{{- end }}
{{- if not $v.delivery.sender }}
{{- $faults = append $faults "delivery.sender: write the address that the mails come from" }}
{{- end }}
{{- if not (or $v.roleToRecipients $v.delivery.recipients) }}
{{- $faults = append $faults "roleToRecipients: say who is told, at least for \"*\"" }}
{{- else if and $v.roleToRecipients (not (hasKey $v.roleToRecipients "*")) }}
{{- $faults = append $faults "roleToRecipients: needs a line \"*\", for roles that have none of their own" }}
{{- end }}
{{- with include "teleport-email.whyNoLog" . }}
{{- $faults = append $faults . }}
{{- end }}
{{- range list (list "smtp" "password" "smtp.passwordFromSecret") (list "mailgun" "private_key" "mailgun.privateKeyFromSecret") }}
{{- if dig (index . 0) (index . 1) "" $v.config }}
{{- $faults = append $faults (printf "config.%s.%s: would be readable in a ConfigMap; use %s" (index . 0) (index . 1) (index . 2)) }}
{{- end }}
{{- end }}
{{- if dig "smtp" "oauth2" "client_secret" "" $v.config }}
{{- $faults = append $faults "config.smtp.oauth2.client_secret: would be readable in a ConfigMap; mount a Secret (volumes, volumeMounts) and name it as client_secret_file" }}
{{- end }}
{{- if $faults }}
{{- fail (printf "\n\nThe values cannot be used:\n  - %s\n" (join "\n  - " $faults)) }}
{{- end }}
{{- end }}
