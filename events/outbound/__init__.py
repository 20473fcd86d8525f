"""The one door through which Regulars speaks to other servers: webhooks, SMS gateways, searches.

Whoever names the target (a tenant's administrator, a setting) must not be able to make us speak to
what only our own machines can reach. So the name is resolved once, every address it has is judged,
and the connection goes to a judged address; no redirect is followed, no proxy of the environment
is asked, and nothing takes longer or answers more than it may. docs/operating.md tells operators.
"""

from events.outbound.circuits import CircuitOpen
from events.outbound.client import Answer, request
from events.outbound.errors import OutboundError, OutboundFailed, OutboundRefused
from events.outbound.targets import check_url

__all__ = [
    "Answer",
    "CircuitOpen",
    "OutboundError",
    "OutboundFailed",
    "OutboundRefused",
    "check_url",
    "request",
]
