"""Generated code for the messages and services of Teleport that are used; see proto/generate.py.

In: nothing but protobuf. Out: messages and stubs. Knows nothing of ours; only ``teleport_email.teleport`` and
``teleport_email.sandbox`` import it.
"""
