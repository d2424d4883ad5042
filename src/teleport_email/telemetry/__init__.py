"""What the daemon tells of itself: log, counters, health, metrics, status page.

In: what the other parts count and say. Out: log lines and pages, without secrets. Decides nothing about mail.
"""
