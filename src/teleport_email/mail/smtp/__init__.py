"""Sending by SMTP: a pool of connections, one transaction a recipient.

In: bytes and an envelope. Out: what the server's replies mean. Knows no request and no ledger.
"""
