"""1. What is known of the requests: a stream kept open, lists on every connection, the newest of each. And of
the reviews of Access Lists, where they are asked for.

In: events and lists from ``teleport``. Out: the store, the board, and keys of what changed for the queue of
``reconciling``. Knows nothing of mail, or of ledgers' contents beyond whether they are settled.
"""
