"""1. What is known of the requests: a stream kept open, lists on every connection, the newest of each.

In: events and lists from ``teleport``. Out: the store, and ids of changed requests for the queue of
``reconciling``. Knows nothing of mail, recipients or ledgers' contents beyond whether they are settled.
"""
