"""Bytes, and two ways to send them: SMTP and Mailgun. Knows nothing of Teleport."""
