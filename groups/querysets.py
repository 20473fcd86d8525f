"""Reads over groups and subscriptions."""

import uuid

from django.db.models import Count, Exists, OuterRef, Q

from tenancy.scoping import OwnedQuerySet

CODE_LENGTH = 64


class GroupQuerySet(OwnedQuerySet):
    def public(self):
        """Customers may join and leave these by themselves."""
        return self.filter(subscribable="public")

    def with_sizes(self):
        """Annotate `n_members` and `n_subscribed`."""
        return self.annotate(
            n_members=Count("subscriptions"),
            n_subscribed=Count("subscriptions", filter=Q(subscriptions__subscribed=True)),
        )

    def named(self, reference):
        """The group that `reference` names by id or exact code, or None; any text is safe here."""
        text = str(reference)
        if not text or "\0" in text or len(text) > CODE_LENGTH or not text.isprintable():
            return None
        try:
            key = uuid.UUID(text)
        except ValueError:
            return self.filter(code=text).first()
        return self.filter(pk=key).first() or self.filter(code=text).first()


class SubscriptionQuerySet(OwnedQuerySet):
    def subscribed(self):
        """Want to hear from the group."""
        return self.filter(subscribed=True)


def in_group(customers, group):
    """Customers who are in `group`, whether or not they want its mail."""
    memberships = group.subscriptions.model.objects.filter(customer=OuterRef("pk"), group=group)
    return customers.filter(Exists(memberships))


def reachable_in(customers, group, channel=None):
    """Customers who may be written to about `group`: reachable at large (see
    CustomerQuerySet.reachable) and subscribed to the group."""
    wanted = group.subscriptions.model.objects.filter(
        customer=OuterRef("pk"), group=group, subscribed=True
    )
    return customers.reachable(channel).filter(Exists(wanted))
