"""The way to a Teleport cluster: identity, connection, and the calls that the program makes.

Knows nothing of mail. Everything outside sees the values of :mod:`teleport_email.model` and the errors of
:mod:`teleport_email.errors`; generated protobuf code and gRPC stay in here.
"""
