"""5. Bytes, and two ways to send them: SMTP and Mailgun.

In: a :class:`~teleport_email.core.model.Mail` and a gate. Out: a ``SendOutcome``. Knows nothing of Teleport.
"""
