"""The shapes of what happened and of what is still to happen in the house API."""

from events.serializers.feed import ChangesSerializer, change, customer_of
from events.serializers.jobs import JobSerializer

__all__ = ["ChangesSerializer", "JobSerializer", "change", "customer_of"]
