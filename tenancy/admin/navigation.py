"""The sidebar, in the order in which staff work: customers first, set-up last."""

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from events.models import Job

MOST_TOLD = 99

WORK = (
    (_("Customers"), "group", "customers.customer"),
    (_("Duplicates"), "join_inner", "customers.possibleduplicate"),
    (_("Imports"), "upload_file", "customers.importrun"),
    (_("Data requests"), "gavel", "customers.datarequest"),
    (_("Groups"), "groups", "groups.group"),
    (_("Subscriptions"), "how_to_reg", "groups.subscription"),
)
LOYALTY = (
    (_("Purchases"), "receipt_long", "loyalty.transaction"),
    (_("Points"), "toll", "loyalty.entry"),
    (_("Redemptions"), "confirmation_number", "loyalty.redemption"),
    (_("Rewards"), "redeem", "loyalty.reward"),
    (_("Levels"), "military_tech", "loyalty.level"),
    (_("Earning rules"), "add_circle", "loyalty.earningrule"),
)
RECORDS = (
    (_("History"), "history", "events.historyentry"),
    (_("Events"), "bolt", "events.event"),
    (_("Jobs"), "pending_actions", "events.job"),
    (_("Merges"), "merge", "customers.merge"),
    (_("Deeds for many"), "checklist", "customers.bulkdeed"),
    (_("Deleted customers"), "delete_history", "customers.tombstone"),
)
SET_UP = (
    (_("Stores"), "store", "tenancy.store"),
    (_("Staff"), "badge", "tenancy.staffmember"),
    (_("Access tokens"), "key", "tenancy.accesstoken"),
    (_("Webhooks"), "webhook", "events.webhookendpoint"),
    (_("Messages"), "mail", "events.message"),
    (_("Message texts"), "edit_note", "events.messagetext"),
    (_("Remembered mappings"), "table_view", "customers.importprofile"),
)


def sidebar(request):
    """The groups of links that this person may follow; the theme asks for it per request."""
    set_up = links(request, SET_UP)
    tenant, user = request.tenant, request.user
    if user.has_perm("tenancy.view_tenant"):
        set_up.append(link(_("Settings"), "tune", "tenancy_tenant_change", tenant.pk))
    operator = []
    if user.is_superuser:
        operator = [
            link(_("Tenants"), "apartment", "tenancy_tenant_changelist"),
            link(_("Users"), "manage_accounts", "tenancy_user_changelist"),
        ]
    first = [link(_("Start"), "home", "index")]
    if user.has_perm("customers.search"):
        first.append(link(_("Find"), "search", "customers_customer_find"))
    work = [*first, *links(request, WORK)]
    if any(item["link"] == request.path for item in work):
        # Else the list whose address this one begins with would be marked, too.
        for item in work:
            item["active"] = item["link"] == request.path
    records = links(request, RECORDS)
    if tenant is not None and user.has_perm("events.view_job"):
        mark_given_up(records)
    groups = [
        {"items": work},
        {"title": _("Loyalty"), "separator": True, "items": links(request, LOYALTY)},
        {"title": _("Records"), "separator": True, "items": records},
        {"title": _("Set-up"), "separator": True, "items": set_up},
        {"title": _("Operator"), "separator": True, "items": operator},
    ]
    return [group for group in groups if group["items"]]


def mark_given_up(items):
    """Put how many jobs were given up beside the link to the jobs; one look into the index of jobs
    that are not done, bounded."""
    given_up = Job.objects.filter(state=Job.State.DEAD).order_by().values_list("pk")
    n_jobs = len(given_up[: MOST_TOLD + 1])
    if not n_jobs:
        return
    told = f"{MOST_TOLD}+" if n_jobs > MOST_TOLD else n_jobs
    page = reverse("admin:events_job_changelist")
    for item in items:
        if item["link"] == page:
            # Lazy: what is a str here the theme takes for the name of a function.
            item["badge"] = format_lazy(_("{n} given up"), n=told)


def links(request, table):
    """The links of a table whose rows the user may see."""
    allowed = []
    for title, icon, label in table:
        app, model = label.split(".")
        if request.user.has_perm(f"{app}.view_{model}"):
            allowed.append(link(title, icon, f"{app}_{model}_changelist"))
    return allowed


def link(title, icon, name, *args):
    return {"title": title, "icon": icon, "link": reverse(f"admin:{name}", args=args)}
