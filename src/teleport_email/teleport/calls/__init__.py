"""The calls: requests, plugin data, rules, users, resources.

In: values. Out: values, or a ``ClusterError``. Knows a channel, not how it came to be.
"""
