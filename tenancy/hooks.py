"""Where higher apps join a tenant's deeds; filled in from their `AppConfig.ready`."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class TenantHooks:
    """Each list holds callables, called inside the transaction and the scope of the tenant."""

    # (tenant) -> None: a tenant was just created, not bare.
    created: list[Callable] = field(default_factory=list)


hooks = TenantHooks()
