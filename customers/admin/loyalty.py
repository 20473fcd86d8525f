"""The loyalty tab of the customer page."""

from django.utils.translation import get_language, gettext_lazy

from customers.admin.panels import Panel
from customers.admin.standing import standing_of
from loyalty.amounts import money_out, number_out, plain, points_told
from loyalty.explaining import explain
from loyalty.models import Entry, Redemption, Transaction
from tenancy.admin.telling import KINDS
from tenancy.models import Store
from tenancy.scoping import current_tenant

N_ENTRIES, N_REDEMPTIONS, N_DAYS = 50, 20, 12
STATES = {
    "open": gettext_lazy("can be used"),
    "used": gettext_lazy("used"),
    "cancelled": gettext_lazy("cancelled"),
    "expired": gettext_lazy("run out"),
}


class LoyaltyPanel(Panel):
    """Level and points, why and until when, and every movement with the balance after it."""

    model, title, template = Entry, gettext_lazy("Loyalty"), "admin/customers/customer/loyalty.html"

    def context(self):
        standing = standing_of(self.request, self.customer_id)
        account = standing.account
        if account is None:
            return {"account": None}
        currency = current_tenant().currency
        entries = list(
            Entry.objects.filter(account=account)
            .select_related("note")
            .order_by("-seq")[: N_ENTRIES + 1]
        )
        stores = dict(Store.objects.values_list("pk", "name")) if entries else {}
        bought = dict(Redemption.objects.filter(entry__in=entries).values_list("entry_id", "name"))
        status = standing.status
        return {
            "account": account,
            "points": points_told(status.points),
            "locked": points_told(status.locked_points) if status.locked_points else "",
            "assigned": status.is_assigned,
            "percent": plain(number_out(account.level.reward_percent)) if account.level else "",
            "spent_for": f"{money_out(account.transactions_amount, currency):,f} {currency}",
            "sentence": explain(status, (get_language() or "en").partition("-")[0]),
            "entries": [
                told_entry(entry, stores, bought.get(entry.pk, "")) for entry in entries[:N_ENTRIES]
            ],
            "has_more": len(entries) > N_ENTRIES,
            "expiring": [(day, points_told(left)) for day, left in status.expiring[:N_DAYS]],
            "transactions": [told_transaction(row, currency) for row in standing.transactions],
            "redemptions": [
                {"row": row, "state": STATES[row.status_at(status.at)]}
                for row in Redemption.objects.filter(account=account)[:N_REDEMPTIONS]
            ],
            "deeds": standing.deeds,
        }

    @classmethod
    def may_be_seen(cls, request):
        return request.user.has_perm("loyalty.retrieve")


def told_entry(entry, stores, bought):
    """A movement as a row of the timeline; `bought` names the reward that it paid for."""
    moved = entry.points or entry.locked_points
    label = entry.note.actor_label if hasattr(entry, "note") else ""
    return {
        "at": entry.at,
        "kind": entry.get_kind_display(),
        "note": entry.note.text if hasattr(entry, "note") else bought,
        "who": label or KINDS.get(entry.actor_kind, entry.actor_kind),
        "up": moved > 0,
        "moved": points_told(abs(moved)),
        "nothing": moved == 0,
        "held": not entry.points and entry.locked_points,
        "after": points_told(entry.points_after),
        "store": stores.get(entry.store_id, ""),
        "pk": entry.pk,
    }


def told_transaction(row, currency):
    """A sale or return as a row."""
    return {
        "pk": row.pk,
        "at": row.purchased_at,
        "number": row.number,
        "kind": row.get_kind_display(),
        "is_return": row.kind == Transaction.Kind.RETURN,
        "amount": f"{money_out(row.amount, currency):,f} {currency}",
        "store": row.store or "",
        "waits": row.applied_seq is None,
    }
