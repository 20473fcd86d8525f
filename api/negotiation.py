"""Which form an answer takes: by `format=`, else by `Accept`."""

from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import DefaultContentNegotiation


class Negotiation(DefaultContentNegotiation):
    """As Django REST framework does it, but an unknown `format` is a bad parameter (400)."""

    def filter_renderers(self, renderers, format):
        chosen = [renderer for renderer in renderers if renderer.format == format]
        if not chosen:
            known = ", ".join(renderer.format for renderer in renderers)
            raise ValidationError({"format": [f"One of: {known}."]})
        return chosen
