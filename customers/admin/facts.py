"""What the customer page tells before anybody edits: the facts, read first.

The form below it is the second step. Everything here comes from the record that the APIs show, cut
to what the reader's role may see.
"""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers.admin.standing import standing_of
from customers.records import record_of
from groups.records import groups_of
from loyalty.amounts import money_out, points_told
from loyalty.explaining import explain
from normalise import mask_email, mask_phone
from tenancy.permissions import MASKED, sees_field
from tenancy.scoping import current_tenant

N_ROWS = 5
# What of the record the cards tell.
PARTS = frozenset({"emails", "phones", "addresses", "consents"})


def facts_of(request, customer, role):
    """The facts of a customer as a dict for the template; what `role` may not see is left out."""
    record = record_of(customer.pk, parts=PARTS)
    if record is not None:
        record |= groups_of([record["id"]])[record["id"]]

    def seen(name):
        return record[name] if record and sees_field(role, name) else None

    masked = role == MASKED and record is not None
    return {
        "is_masked": masked,
        "contacts": _masked_contacts(record) if masked else _contacts(seen),
        "addresses": [_address(row) for row in (seen("addresses") or [])[:N_ROWS]],
        "details": list(_details(customer, seen)),
        "consents": seen("consents") or [],
        "groups": [
            {"title": row["title"] or row["code"], "subscribed": row["subscribed"]}
            for row in seen("groups") or []
        ],
        "note": seen("internal_note"),
        "standing": _standing(request, customer),
    }


def _contacts(seen):
    """E-mails and phones, the primary ones first, with what must be known before they are used."""
    for row in (seen("emails") or [])[:N_ROWS]:
        yield {"icon": "mail", "text": row["address"], "marks": _marks(row)}
    for row in (seen("phones") or [])[:N_ROWS]:
        yield {"icon": "call", "text": row["e164"] or row["given"], "marks": _marks(row)}


def _masked_contacts(record):
    """The same for who may know that there is one, and not which."""
    for row in record["emails"][:N_ROWS]:
        yield {"icon": "mail", "text": mask_email(row["address"]), "marks": _marks(row)}
    for row in record["phones"][:N_ROWS]:
        text = mask_phone(row["e164"] or row["given"])
        yield {"icon": "call", "text": text, "marks": _marks(row)}


def _marks(row):
    if row.get("opted_out"):
        yield "warning", _("opted out")
    if row.get("verified"):
        yield "success", _("verified")


def _address(row):
    lines = (
        row["company"],
        " ".join(filter(None, (row["first_name"], row["last_name"]))),
        *(row[name] for name in ("street", "street2", "street3")),
        " ".join(filter(None, (row["postal_code"], row["city"]))),
        row["country"],
    )
    return ", ".join(filter(None, lines))


def _details(customer, seen):
    """(label, text) of the single fields that say something."""
    labels = {
        name: customer._meta.get_field(name).verbose_name
        for name in ("company_name", "vat_number", "card_number", "external_id", "language")
    }
    for name, label in labels.items():
        if seen(name):
            yield label, seen(name)
    if seen("birth_date"):
        yield _("birth date"), seen("birth_date")


def _standing(request, customer):
    """Level and points with the reason of the level, the last visit, and what may be done."""
    if not request.user.has_perm("loyalty.retrieve"):
        return None
    standing = standing_of(request, customer.pk)
    if standing.account is None:
        return None
    status, currency = standing.status, current_tenant().currency
    return {
        "points": points_told(status.points),
        "level": status.level.name if status.level else "",
        "sentence": explain(status, (get_language() or "en").partition("-")[0]),
        "purchases": status.transactions_count,
        "spent": f"{money_out(status.transactions_amount, currency):,f} {currency}",
        "last_visit": next(iter(standing.transactions), None),
        "deeds": standing.deeds,
    }
