"""What ``teleport-email check`` looks at.

In: settings. Out: lines, each as soon as it is found. Prints nothing, writes nothing, sends no message.
"""
