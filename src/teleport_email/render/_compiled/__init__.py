"""The built-in templates as Jinja compiles them: a tenth of a second's work that no start needs to do.

In: ``templates/``, by ``make templates``. Out: a module for each template and way to escape. Knows only the
runtime of Jinja, and the environment that loads it: another version of Jinja gets the sources.
"""

JINJA = "3.1.6"
"""The version that compiled them."""


def module_name(template: str, *, html: bool) -> str:
    """Of a built-in template, without a prefix: ``layout.html``. ``html``: what escapes everything."""
    return f"{'html' if html else 'text'}_{template.replace('.', '_')}"
