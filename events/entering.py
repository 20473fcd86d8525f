"""That an operator entered a tenant stays on record there."""

from events.services import build_history


def record_operator_entry(tenant):
    """Write into the tenant's history that the acting operator entered it.

    A history row only: integrators, who read the events, are not concerned.
    """
    build_history(tenant, "tenant", tenant.pk, deed="operator.entered", changes={}).save(
        force_insert=True
    )
