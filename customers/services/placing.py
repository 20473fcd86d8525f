"""Where a registration happens: a token that is bound to stores registers there alone."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext_lazy as _

from customers.columns import COLUMN_CLEANERS, Context
from customers.stores import find_store
from tenancy.models import Store


class OtherStore(PermissionDenied):
    """The caller's token is bound to other stores."""

    def __init__(self):
        super().__init__("This token registers only at its own stores.")


def store_of_registration(principal, *, named=None, home=None):
    """The store where `principal` registers a customer, or None where nobody says one.

    `named` is the store that the caller names (id or code), `home` the home store that the
    customer shall have. A token of one store stands for it; one of several must name one of them.
    Raises ValidationError naming `store`, OtherStore.
    """
    store = None
    if named not in (None, ""):
        store = find_store(named)
        if store is None:
            raise ValidationError(
                {"store": ValidationError(_("No such store."), code="does_not_exist")}
            )
    if not principal.store_ids:
        return store
    if store is None:
        if len(principal.store_ids) > 1:
            required = ValidationError(_("Name one of the token's stores."), code="required")
            raise ValidationError({"store": required})
        store = Store.objects.get(pk=next(iter(principal.store_ids)))
    home = _home_store(home, store)
    if store.pk not in principal.store_ids or (home and home.pk not in principal.store_ids):
        raise OtherStore
    return store


def _home_store(home, store):
    """The home store as the registration will read it; None where it will refuse it."""
    if home in (None, ""):
        return store
    try:
        return COLUMN_CLEANERS["home_store"](home, Context(store.tenant, ""))
    except ValidationError:
        return None
