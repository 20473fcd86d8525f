"""Where each profile field stands on the customer page."""

from django.utils.translation import gettext_lazy as _

from customers.models import Customer

WHO = (
    ("first_name", "last_name"),
    "name",
    "kind",
    ("company_name", "vat_number"),
    ("birth_date", "gender"),
    ("language", "eu_citizen"),
    "home_store",
)
IDENTIFIERS = (
    ("login_email", "login_phone"),
    "username",
    ("card_number", "card_state"),
    "external_id",
)
COMMERCE = (
    ("discount_percent", "price_list"),
    ("payment_terms_days", "ledger_number"),
    "shipping_mode",
    ("e_invoice", "e_invoice_address"),
    ("credit_limit", "credit_balance"),
    "floor_limit",
    ("charge_account_number", "charge_account_retired"),
    ("seller", "no_loyalty"),
)
NOTES = (
    "internal_note",
    ("no_email", "hidden"),
    "origin",
    "invitation_token",
    "custom_data1",
    "custom_data2",
    "custom_data3",
    "custom_data4",
)
CONSENTS = (
    ("consent_marketing", "consent_data_processing", "consent_legal"),
    "consent_wording",
)
RECORD = ("picture", ("created_at", "updated_at"), ("version", "anonymised_at"), "reason")
ALWAYS = {"created_at", "updated_at", "version", "anonymised_at"}


def flat(rows):
    """The names of a layout, one after the other."""
    for row in rows:
        yield from row if isinstance(row, tuple) else (row,)


def unplaced():
    """Profile fields that no row names: a new field shows up by itself, under the notes."""
    placed = {*flat(WHO), *flat(IDENTIFIERS), *flat(COMMERCE), *flat(NOTES)}
    return tuple(name for name in Customer.PROFILE if name not in placed)


def arrange(is_new, shown):
    """Fieldsets, one tab each; `shown(name)` answers the name to show, or None to leave it out."""
    if is_new:
        tabs = (
            (_("Person or company"), (*WHO, "card_number")),
            (_("Consents given now"), CONSENTS),
            (_("Identifiers & sign-in"), tuple(set_apart(IDENTIFIERS, {"card_number"}))),
            (_("Commerce"), COMMERCE),
            (_("Notes & custom data"), (*NOTES, *unplaced(), "reason")),
        )
    else:
        tabs = (
            (_("Person or company"), WHO),
            (_("Identifiers & sign-in"), IDENTIFIERS),
            (_("Commerce"), COMMERCE),
            (_("Notes & custom data"), (*NOTES, *unplaced())),
            (_("Record"), RECORD),
        )
    fieldsets = []
    for title, rows in tabs:
        kept = list(kept_rows(rows, shown))
        if kept:
            fieldsets.append((title, {"classes": ["tab"], "fields": kept}))
    return fieldsets


def kept_rows(rows, shown):
    for row in rows:
        names = tuple(name for each in flat((row,)) if (name := shown(each)))
        if names:
            yield names if len(names) > 1 else names[0]


def set_apart(rows, names):
    """The rows without some names."""
    return kept_rows(rows, lambda name: None if name in names else name)
