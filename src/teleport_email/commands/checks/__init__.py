"""What ``teleport-email check`` looks at. Each part yields lines as it finds them; nothing here prints."""
