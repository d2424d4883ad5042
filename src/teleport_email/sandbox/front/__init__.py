"""The ways into the embedded cluster: its certificates, the Proxy, load balancers, HTTP proxies.

In: connections. Out: byte streams to the cluster's service. Knows no request.
"""
