"""4. What messages say: from a kind, a request and facts to subject, text, HTML and headers.

In: a kind, a view, facts that were looked up. Out: :class:`~teleport_email.core.model.Content`. Knows no
recipient, no wire and no clock.
"""

from teleport_email.render.renderer import TEMPLATE_OF, Facts, Renderer, subject

__all__ = ["TEMPLATE_OF", "Facts", "Renderer", "subject"]
