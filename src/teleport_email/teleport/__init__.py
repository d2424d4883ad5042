"""The way to a Teleport cluster: identity, connection, and the calls that the program makes.

In: settings and values of :mod:`teleport_email.core.model`. Out: such values, and the errors of
:mod:`teleport_email.core.errors`; generated protobuf code and gRPC stay in here. Knows nothing of mail.
"""
