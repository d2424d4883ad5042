"""What a shell completes: the parser of all commands as values, and a script of them for each shell.

In: the parser. Out: a script's text. Knows no command but its own, and nothing of what they do.
"""
