"""The built-in templates as Jinja compiles them: a tenth of a second's work that no start needs to do.

In: ``templates/``, by ``make templates``. Out: a module for each template. Knows only the runtime of Jinja,
and the environment that renders it, which escapes or does not: another version of Jinja gets the sources.
"""

JINJA = "3.1.6"
"""The version that compiled them."""


def module_name(template: str) -> str:
    """Of a built-in template, without a prefix: ``layout.html``."""
    return template.replace(".", "_")
