"""The pure heart: what is due, what may be written, and the values that go through the program.

In: requests, ledgers, times. Out: plans, writes, Message-IDs. Knows no loop, no clock, no wire, no log;
imported by everything, imports nothing of ours.
"""
