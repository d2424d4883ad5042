"""Generated code for the messages and services of Teleport that are used; see proto/generate.py.

Only ``teleport_email.teleport`` and ``teleport_email.sandbox`` import it.
"""
