"""What messages say: from a kind, a request and facts to subject, text, HTML and headers."""

from teleport_email.render.renderer import TEMPLATE_OF, Facts, Renderer, subject

__all__ = ["TEMPLATE_OF", "Facts", "Renderer", "subject"]
