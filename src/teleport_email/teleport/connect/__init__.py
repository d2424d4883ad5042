"""From an identity to a byte stream that gRPC can use.

In: ``[teleport]`` and the files that it names. Out: a relay's socket. Knows no call.
"""
