"""Every reusable read of customers: chainable, named as an adjective or `with_x`."""

from django.db import models
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q, Subquery

from tenancy.scoping import OwnedQuerySet

CHANNELS = ("email", "sms", "post")
_MAY_BE_ASKED = Q(status="active", anonymised_at=None, consent_marketing=True)


def known_as(model, column, value):
    """The condition of `CustomerQuerySet.known_as`. It compares with a single row, so that an
    index serves either side."""
    former = (
        model.with_merged.filter(**{column: value}, merged_into__isnull=False)
        .order_by()
        .values("merged_into")[:1]
    )
    return Q(**{column: value}) | Q(pk=Subquery(former))


class CustomerQuerySet(OwnedQuerySet):
    """Reads over customers of the active tenant."""

    def _of(self, relation):
        """The rows of a child table; reached through the model, which imports this module."""
        return self.model._meta.get_field(relation).related_model.objects

    def active(self):
        """May sign in, earn and be written to."""
        return self.filter(status="active")

    def identifiable(self):
        """Not anonymised."""
        return self.filter(anonymised_at=None)

    def known_as(self, column, value):
        """The customer with this identifier (a column of Customer.FOLLOWED, `id` or `number`), or
        the one that a record with it became part of."""
        return self.filter(known_as(self.model, column, value))

    def updated_after(self, instant):
        """Changed later than `instant`, oldest change first: one page after the other misses none
        of the changes committed before the reading began."""
        return self.filter(updated_at__gt=instant).order_by("updated_at", "id")

    def at_store(self, store):
        """Listed at this store: home store, or a store profile there; customers without a home
        store are listed at the tenant's default store."""
        here = Q(home_store=store) | Q(
            Exists(self._of("store_profiles").filter(customer=OuterRef("pk"), store=store))
        )
        if store.default:
            here |= Q(home_store=None)
        return self.filter(here)

    def tied_to(self, store):
        """Has this home store, or a store profile or an extension there; unlike `at_store`, who
        has no home store is tied to none."""
        ties = Q(home_store=store)
        for relation in ("store_profiles", "extensions"):
            rows = self._of(relation).filter(customer=OuterRef("pk"), store=store)
            ties |= Q(Exists(rows))
        return self.filter(ties)

    def with_email(self, address_key):
        """Has this address (lower-cased) as a contact point. A sign-in e-mail is always one, and
        asking one table only lets its index lead."""
        rows = self._of("emails").filter(address_key=address_key)
        return self.filter(pk__in=rows.order_by().values("customer"))

    def with_phone(self, digits):
        """Has a phone with exactly these digits as a contact point, sign-in phones included."""
        rows = self._of("phones").filter(digits=digits)
        return self.filter(pk__in=rows.order_by().values("customer"))

    def with_consent(self, purpose):
        """Annotate `consent_<purpose>`: the current state, None where nothing was ever said."""
        latest = (
            self._of("consents")
            .filter(customer=OuterRef("pk"), purpose=purpose)
            .order_by("-version")
        )
        return self.annotate(
            **{
                f"consent_{purpose}": Subquery(
                    latest.values("granted")[:1], output_field=models.BooleanField(null=True)
                )
            }
        )

    def reachable(self, channel=None):
        """May be written to for marketing: active, not `no_email` (for mail), marketing consent,
        and a contact point of the channel that has not opted out.

        `channel` is "email", "sms", "post" or None for any of the three; ValueError for another.
        For a group use `groups.querysets.reachable_in(customers, group, channel)`.
        """
        if channel is not None and channel not in CHANNELS:
            raise ValueError(f"unknown channel {channel!r}")
        way = Q()
        for name in [channel] if channel else CHANNELS:
            way |= self._way(name)
        return self.with_consent("marketing").filter(_MAY_BE_ASKED, way)

    def with_reach(self):
        """Annotate `reach_email`, `reach_sms` and `reach_post`: what `reachable` would answer."""
        return self.with_consent("marketing").annotate(
            **{
                f"reach_{name}": ExpressionWrapper(
                    _MAY_BE_ASKED & self._way(name), output_field=models.BooleanField()
                )
                for name in CHANNELS
            }
        )

    def _way(self, channel):
        return getattr(self, f"_reachable_by_{channel}")()

    def _reachable_by_email(self):
        return Q(no_email=False) & Q(
            Exists(self._of("emails").filter(customer=OuterRef("pk"), opted_out=False))
        )

    def _reachable_by_sms(self):
        return Q(
            Exists(
                self._of("phones").filter(customer=OuterRef("pk"), opted_out=False).exclude(e164="")
            )
        )

    def _reachable_by_post(self):
        return Q(
            Exists(
                self._of("addresses")
                .filter(customer=OuterRef("pk"))
                .exclude(street="", street2="", street3="")
                .exclude(city="")
            )
        )
