"""2. One request at a time: from its id to nothing being due.

In: ids, what is known of the request (:class:`~teleport_email.reconciling.look.Known`), its ledger.
Out: claims, sends and records. Knows neither the stream nor SMTP: store, router, writer, mailer and plugin
data are Protocols.
"""
