"""The embedded inbox and the embedded Mailgun, and their pages.

In: mail. Out: what arrived, in threads, and faults on demand. Knows nothing of Teleport.
"""
