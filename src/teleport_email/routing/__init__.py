"""3. Who is told, and why.

In: a new request, the settings, Access Monitoring Rules, users' addresses. Out: the addresses of reviewers
and requester, or why there is nobody. Knows nothing of ledgers and sends nothing.
"""
