"""Into a group, and out of one: what may be done with many chosen customers at once."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.hooks import BulkKind, hooks
from groups.models import Group, Subscription
from groups.services import add_to_group, clean_wish, remove_from_group
from groups.services.subscribing import no_such_group

MOST = 20_000


def offer_bulk_deeds():
    """Add our deeds to the table; called once when the app is ready."""
    hooks.add_bulk_deed(
        BulkKind(
            "add_to_group",
            gettext_lazy("Add to a group"),
            gettext_lazy(
                "They become members. Who is in the group already stays as is, also who does not "
                "want its mail."
            ),
            "subscriptions.update",
            MOST,
            so_already=_members,
            perform=_add,
            is_mild=True,
            clean_choice=clean_joining,
            tell=_tell_joining,
            obstacle=_obstacle,
        )
    )
    hooks.add_bulk_deed(
        BulkKind(
            "remove_from_group",
            gettext_lazy("Remove from a group"),
            gettext_lazy(
                "They are members no longer, and what was noted of their wishes there goes with "
                "it; the history keeps it."
            ),
            "subscriptions.destroy",
            MOST,
            so_already=_strangers,
            perform=_remove,
            clean_choice=clean_leaving,
            tell=_tell_leaving,
            obstacle=_obstacle,
        )
    )


# --- What is chosen: the group by its id, and its title for when it is gone ----------------------
def clean_joining(values):
    """{"group", "subscribed"} as one membership takes them. Raises ValidationError by field."""
    wish = clean_wish(
        {"group": values.get("group"), "subscribed": values.get("subscribed") or False}
    )
    return {**_told(wish.group), "subscribed": wish.subscribed}


def clean_leaving(values):
    """{"group"}. Raises ValidationError by field."""
    return _told(clean_wish({"group": values.get("group")}).group)


def _told(group):
    return {"group": str(group.pk), "title": str(group)}


def _tell_joining(choice):
    if choice["subscribed"]:
        return _("Add to “%(group)s”, with its mail") % {"group": choice["title"]}
    return _("Add to “%(group)s”, without its mail") % {"group": choice["title"]}


def _tell_leaving(choice):
    return _("Remove from “%(group)s”") % {"group": choice["title"]}


def _obstacle(choice):
    if _group(choice) is None:
        return _("The group “%(group)s” is no longer there.") % {"group": choice["title"]}
    return ""


def _group(choice):
    return Group.objects.filter(pk=choice["group"]).first()


# --- Whom it changes -----------------------------------------------------------------------------
def _members(customers, choice):
    return customers.filter(pk__in=_member_ids(choice))


def _strangers(customers, choice):
    return customers.exclude(pk__in=_member_ids(choice))


def _member_ids(choice):
    return Subscription.objects.filter(group=choice["group"]).order_by().values("customer")


def _add(customer, choice, reason):
    group = _existing(choice)
    return add_to_group(
        customer, group, subscribed=choice["subscribed"], source="back office", reason=reason
    )


def _remove(customer, choice, reason):
    return remove_from_group(customer, _existing(choice), reason=reason)


def _existing(choice):
    group = _group(choice)
    if group is None:
        raise no_such_group()
    return group
