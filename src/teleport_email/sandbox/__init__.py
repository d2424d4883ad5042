"""An embedded cluster, inbox and Mailgun: for `teleport-email sandbox`, the demo, and the tests.

In: what a test or a story wants. Out: servers on loopback that behave as the real ones. The daemon does not
know it.
"""
