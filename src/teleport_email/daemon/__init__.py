"""The life of the process: build the parts, run, reload, stop.

In: settings and signals. Out: an exit. The only place that knows all parts; nothing but the commands knows
it.
"""
