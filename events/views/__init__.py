"""The endpoints over what happened and what is still to happen."""

from events.views.feed import ChangesViewSet
from events.views.jobs import JobViewSet

__all__ = ["ChangesViewSet", "JobViewSet"]
