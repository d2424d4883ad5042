{{/* The log as a file: it needs a directory that can be written to. */}}

{{- define "teleport-email.logOutput" -}}
{{ dig "log" "output" .Values.log.output .Values.config }}
{{- end }}

{{/* The file's directory; empty where the log goes to a stream. */}}
{{- define "teleport-email.logDirectory" -}}
{{- $output := include "teleport-email.logOutput" . }}
{{- if not (or (has $output (list "" "stdout" "out" "1" "stderr" "error" "2")) (hasPrefix "/dev/" $output)) }}
{{- dir $output }}
{{- end }}
{{- end }}

{{/* The mount that the file lies in, as JSON: path and readOnly. Of several the innermost; {} where there is none. */}}
{{- define "teleport-email.logMount" -}}
{{- $directory := printf "%s/" (trimSuffix "/" (include "teleport-email.logDirectory" .)) }}
{{- $mounts := list
      (dict "mountPath" "/etc/teleport-email" "readOnly" true)
      (dict "mountPath" "/var/lib/teleport-email/identity" "readOnly" true)
      (dict "mountPath" "/var/lib/teleport-email/secret" "readOnly" true)
      (dict "mountPath" "/run/teleport-email" "readOnly" false)
      (dict "mountPath" "/tmp" "readOnly" false) }}
{{- $found := dict "mountPath" "" }}
{{- range concat $mounts .Values.volumeMounts }}
{{- if and (hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $directory) (gt (len .mountPath) (len $found.mountPath)) }}
{{- $found = . }}
{{- end }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{/* The directory that is to be made for it; empty where there is one, or none is needed. */}}
{{- define "teleport-email.logVolume" -}}
{{- $directory := include "teleport-email.logDirectory" . }}
{{- if and $directory (not (get (fromJson (include "teleport-email.logMount" .)) "mountPath")) }}
{{- $directory }}
{{- end }}
{{- end }}

{{/* Why no log can be written there, or nothing. */}}
{{- define "teleport-email.whyNoLog" -}}
{{- $output := include "teleport-email.logOutput" . }}
{{- $directory := include "teleport-email.logDirectory" . }}
{{- if $directory }}
{{- $mount := fromJson (include "teleport-email.logMount" .) }}
{{- if not (hasPrefix "/" $output) }}
{{- printf "log.output: %s is no stream, and as a file it has no directory that can be written to; write stdout, stderr, or a whole path such as /var/log/teleport-email/log" $output }}
{{- else if get $mount "readOnly" }}
{{- printf "log.output: %s cannot be written: %s is mounted read-only" $output $mount.mountPath }}
{{- else if and (not $mount.mountPath) (or (eq $directory "/") (regexMatch "^/(bin|boot|dev|etc|lib|lib64|opt|proc|root|sbin|sys|usr)(/|$)" $directory)) }}
{{- printf "log.output: %s cannot be written: %s belongs to the image; write to another directory, such as /var/log/teleport-email, or mount a volume there (volumes, volumeMounts)" $output $directory }}
{{- end }}
{{- end }}
{{- end }}
