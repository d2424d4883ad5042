"""``teleport-email sandbox``: the embedded servers in a process, a console, a story.

In: a command line. Out: a running world, and words about it. Knows the daemon only as a child process.
"""
