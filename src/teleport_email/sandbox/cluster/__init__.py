"""The embedded cluster: requests, plugin data, rules, users, and the gRPC service that shows them.

In: calls. Out: the answers of a real cluster, and faults on demand. Knows nothing of mail.
"""
