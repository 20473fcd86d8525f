"""Mails and SMS in the back office: what became of each, and sending a failed one again."""

import uuid

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter
from unfold.paginator import InfinitePaginator

from customers.models import Customer
from events.messages import PURPOSES, may_send_again, send_again
from events.messages.reasons import REASONS
from events.models import Message
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import badge

State = Message.State
AT_ONCE = 500
COLOURS = {State.SENT: "success", State.FAILED: "danger", State.SUPPRESSED: "warning"}


def purpose_title(name):
    """A purpose in words; its name where the product does not know it any more."""
    return str(PURPOSES[name].title) if name in PURPOSES else name


class CustomerFilter(DropdownFilter):
    """The customer whose page led here."""

    title, parameter_name = gettext_lazy("customer"), "customer"

    def lookups(self, request, model_admin):
        try:
            named = uuid.UUID(request.GET.get("customer", ""))
        except ValueError:
            return []
        customer = Customer.objects.filter(pk=named).first()
        return [(str(named), customer.code or str(named))] if customer else []

    def queryset(self, request, queryset):
        known = {pk for pk, _title in self.lookup_choices}
        return queryset.filter(customer_id=self.value()) if self.value() in known else queryset


class StateFilter(RadioFilter):
    title, parameter_name = gettext_lazy("state"), "state"

    def lookups(self, request, model_admin):
        return State.choices

    def queryset(self, request, queryset):
        return queryset.filter(state=self.value()) if self.value() in State else queryset


class PurposeFilter(DropdownFilter):
    """One of the purposes there are, without asking the table which ones it holds."""

    title, parameter_name = gettext_lazy("purpose"), "purpose"

    def lookups(self, request, model_admin):
        return [(purpose.name, purpose.title) for purpose in PURPOSES.values()]

    def queryset(self, request, queryset):
        return queryset.filter(purpose=self.value()) if self.value() in PURPOSES else queryset


class ChannelFilter(RadioFilter):
    title, parameter_name = gettext_lazy("way"), "channel"

    def lookups(self, request, model_admin):
        return Message.Channel.choices

    def queryset(self, request, queryset):
        return (
            queryset.filter(channel=self.value()) if self.value() in Message.Channel else queryset
        )


class NamesCustomers:
    """Part of a ChangeList: gives the rows of one page their customers' numbers, in one query."""

    def get_results(self, request):
        super().get_results(request)
        self.result_list = list(self.result_list)
        ids = {row.customer_id for row in self.result_list if row.customer_id}
        known = Customer.objects.only("id", "number").in_bulk(ids)
        for row in self.result_list:
            row.customer_code = known[row.customer_id].code if row.customer_id in known else ""


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator  # a table too large to count on every visit
    list_disable_select_all = True
    list_display = (
        *("created_at", "purpose_shown", "channel", "customer", "state_shown", "why", "sent_at"),
    )
    list_filter = (CustomerFilter, StateFilter, PurposeFilter, ChannelFilter)
    sortable_by = ()
    actions = ("send_again_many",)
    fields = (
        *("purpose_shown", "channel", "language", "customer", "state_shown", "why", "attempts"),
        *("created_at", "expires_at", "sent_at", "provider_id"),
    )

    def get_changelist(self, request, **kwargs):
        changelist = super().get_changelist(request, **kwargs)
        return type(changelist.__name__, (NamesCustomers, changelist), {})

    # --- Shown ----------------------------------------------------------------------------------
    def crumb(self, message):
        return purpose_title(message.purpose)

    @admin.display(description=gettext_lazy("purpose"))
    def purpose_shown(self, message):
        title = purpose_title(message.purpose)
        return _("%(title)s (a test)") % {"title": title} if message.sample else title

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, message):
        if message.state == State.QUEUED and message.reason:
            return badge(_("Is tried again"), "warning")
        return badge(message.get_state_display(), COLOURS.get(message.state, ""))

    @admin.display(description=gettext_lazy("why"))
    def why(self, message):
        return REASONS.get(message.reason, message.reason) or "–"

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, message):
        if not message.customer_id:
            return "–"
        url = reverse("admin:customers_customer_change", args=[message.customer_id])
        code = getattr(message, "customer_code", None)
        if code is None:  # a page of its own, not a row of the list
            named = Customer.objects.only("id", "number").filter(pk=message.customer_id).first()
            code = named.code if named else ""
        code = code or f"{str(message.customer_id)[:8]}…"
        return format_html('<a class="link" href="{}">{}</a>', url, code)

    # --- Again ----------------------------------------------------------------------------------
    def get_actions(self, request):
        allowed = request.user.has_perm("messages.send_again")
        return super().get_actions(request) if allowed else {}

    @admin.action(description=gettext_lazy("Send again"))
    def send_again_many(self, request, queryset):
        self.insist(request, "messages.send_again")
        n_done, refused = 0, []
        for message in queryset.select_related("tenant")[:AT_ONCE]:
            try:
                send_again(message)
                n_done += 1
            except ValidationError as error:
                refused.append(f"{purpose_title(message.purpose)}: {' '.join(error.messages)}")
        if n_done:
            sentence = ngettext(
                "%(n)d message is on its way again.",
                "%(n)d messages are on their way again.",
                n_done,
            )
            messages.success(request, sentence % {"n": n_done})
        for line in refused[:20]:
            messages.error(request, line)

    def get_urls(self):
        return [
            self.own_path("<path:object_id>/again/", self.again_view, "again"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, *args, **kwargs):
        message = kwargs.get("obj")
        allowed = request.user.has_perm("messages.send_again")
        if message is not None and allowed and may_send_again(message):
            path = reverse(self.url_name("again"), args=[message.pk])
            context["actions_detail"] = [{"title": _("Send again"), "icon": "replay", "path": path}]
        return super().render_change_form(request, context, *args, **kwargs)

    def again_view(self, request, object_id):
        message = self.get_or_404(request, object_id)
        self.insist(request, "messages.send_again")
        page = reverse(self.url_name("change"), args=[message.pk])
        if request.method == "POST":
            try:
                send_again(message)
                messages.success(request, _("It is on its way again."))
            except ValidationError as error:
                for told in error.messages:
                    messages.error(request, told)
            return redirect(page)
        context = {
            "title": f"{_('Send again')}: {purpose_title(message.purpose)}",
            "sentence": _(
                "It goes to the address that the customer has now, with a new code where it "
                "carries one, and is counted like a new message."
            ),
            "button": _("Send again"),
            "cancel_url": page,
        }
        return self.page(request, "admin/deed.html", context, obj=message)
