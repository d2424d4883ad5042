"""What lies between us and a Proxy and speaks HTTP: CONNECT proxies, load balancers, WebSocket.

In: a byte stream. Out: a byte stream through it. Knows no identity and no cluster.
"""
