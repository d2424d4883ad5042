{{/* Values that this chart does not know: Teleport's own chart passes them over, and so does this one, but says so. */}}

{{- define "teleport-email.unknown" -}}
{{- $known := dict
      "" (list "global" "teleport" "mailgun" "smtp" "delivery" "roleToRecipients" "log" "tbot" "secretVolumeName" "annotations" "podAnnotations" "image" "imagePullSecrets" "nameOverride" "fullnameOverride" "podSecurityContext" "securityContext" "resources" "nodeSelector" "tolerations" "affinity" "volumes" "volumeMounts" "replicaCount" "config" "diagnostics" "livenessProbe" "readinessProbe" "env" "service" "serviceMonitor" "podDisruptionBudget" "serviceAccountName" "priorityClassName" "topologySpreadConstraints")
      "teleport" (list "address" "identitySecretName" "identitySecretPath")
      "mailgun" (list "enabled" "domain" "privateKey" "privateKeyFromSecret" "privateKeySecretPath")
      "smtp" (list "enabled" "host" "port" "username" "password" "passwordFromSecret" "passwordSecretPath" "passwordFile" "starttlsPolicy")
      "delivery" (list "sender" "recipients")
      "log" (list "severity" "output")
      "annotations" (list "config" "deployment" "pod" "secret")
      "image" (list "repository" "pullPolicy" "tag" "digest")
      "diagnostics" (list "port")
      "service" (list "enabled" "annotations")
      "serviceMonitor" (list "enabled" "namespace" "interval" "scrapeTimeout" "labels")
      "podDisruptionBudget" (list "enabled" "minAvailable" "maxUnavailable") }}
{{- $unknown := list }}
{{- $values := .Values }}
{{- range $path, $keys := $known }}
{{- $table := ternary $values (default dict (get $values $path)) (eq $path "") }}
{{- range $key := keys $table | sortAlpha }}
{{- if not (has $key $keys) }}
{{- $unknown = append $unknown (ternary $key (printf "%s.%s" $path $key) (eq $path "")) }}
{{- end }}
{{- end }}
{{- end }}
{{- join ", " ($unknown | sortAlpha) }}
{{- end }}
