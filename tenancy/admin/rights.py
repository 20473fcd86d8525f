"""The rights of the permission table in words: what a token may do, and what each role may."""

from django.utils.translation import gettext_lazy as _

from tenancy.permissions import ADMIN, OPERATIONS, ROLE_SCOPES, SCOPES, SELLER

SCOPE_WORDS = {
    "customers:read": _("Find and read customers"),
    "customers:write": _("Register, change, activate and deactivate customers"),
    "customers:delete": _("Delete customers for good"),
    "customers:anonymise": _("Anonymise customers, answer data requests"),
    "customers:merge": _("Merge customers, decide about duplicates"),
    "customers:export": _("Hand out the data of one customer or of all"),
    "customers:import": _("Import customers from files"),
    "groups:read": _("Read groups"),
    "groups:write": _("Make and change groups"),
    "loyalty:read": _("Read points, levels and rewards"),
    "loyalty:write": _("Redeem rewards, send points, assign levels"),
    "points:adjust": _("Adjust points by hand"),
    "transactions:write": _("Record purchases and returns"),
    "settings:write": _("Change the set-up: stores, staff, programme, webhooks"),
    "tokens:write": _("Make and revoke access tokens"),
    "password_hash": _("Read the hashes of passwords; only for moving to another system"),
}


def scope_choices():
    """(scope, what it allows, and its name) of every scope."""
    for scope in SCOPES:
        words = SCOPE_WORDS.get(scope)
        yield (
            scope,
            _("%(words)s (%(scope)s)") % {"words": words, "scope": scope} if words else scope,
        )


def role_table():
    """(what is allowed, scope, administrator, seller) of every scope; the last two are "yes",
    "partly" or "no": a seller who holds a scope may not do what is kept for administrators."""
    for scope in SCOPES:
        told = [_share(scope, role) for role in (ADMIN, SELLER)]
        yield SCOPE_WORDS.get(scope, scope), scope, *told


def _share(scope, role):
    if scope not in ROLE_SCOPES[role]:
        return "no"
    rules = [rule for rule in OPERATIONS.values() if rule.scope == scope]
    if role == SELLER and any(not rule.seller for rule in rules):
        return "partly" if any(rule.seller for rule in rules) else "no"
    return "yes"
