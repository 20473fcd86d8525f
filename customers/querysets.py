"""Every reusable read of customers: chainable, named as an adjective or `with_x`."""

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from tenancy.scoping import OwnedQuerySet


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

    def with_email(self, address_key):
        """Has this address (lower-cased) as a contact point or sign-in."""
        return self.filter(
            Q(login_email=address_key)
            | Q(Exists(self._of("emails").filter(customer=OuterRef("pk"), address_key=address_key)))
        )

    def with_phone(self, digits):
        """Has a phone with exactly these digits as a contact point or sign-in."""
        return self.filter(
            Q(login_phone_key=digits)
            | Q(Exists(self._of("phones").filter(customer=OuterRef("pk"), digits=digits)))
        )

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

        `channel` is "email", "sms", "post" or None for any of the three. For a group use
        `groups.querysets.reachable_in(customers, group, channel)`.
        """
        channels = {
            "email": self._reachable_by_email,
            "sms": self._reachable_by_sms,
            "post": self._reachable_by_post,
        }
        if channel is not None and channel not in channels:
            raise ValueError(f"unknown channel {channel!r}")
        ways = [channels[channel]] if channel else list(channels.values())
        condition = Q()
        for way in ways:
            condition |= way()
        return (
            self.active()
            .identifiable()
            .with_consent("marketing")
            .filter(condition, consent_marketing=True)
        )

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
