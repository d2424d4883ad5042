"""TCP to a name, for everything that dials: the mail server, the cluster, the proxies before it.

In: a host and a port. Out: a connected socket. Knows neither TLS nor what is said on it.
"""
