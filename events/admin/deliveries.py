"""The log of what webhooks were sent, and sending it again."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter
from unfold.paginator import InfinitePaginator

from events.kinds import all_kinds
from events.models import WebhookDelivery, WebhookEndpoint
from events.webhooks.replaying import replay_delivery
from tenancy.admin.base import ReadOnlyAdmin
from tenancy.admin.telling import badge, moment

State = WebhookDelivery.State
AT_ONCE = 500
COLOURS = {State.DELIVERED: "success", State.FAILED: "danger"}
TROUBLES = {
    "status": gettext_lazy("refused"),
    "timeout": gettext_lazy("no answer in time"),
    "connect": gettext_lazy("nobody answers"),
    "dns": gettext_lazy("the name leads nowhere"),
    "tls": gettext_lazy("the certificate was not accepted"),
    "broken": gettext_lazy("the connection broke off"),
    "protocol": gettext_lazy("the answer is not HTTP"),
    "address": gettext_lazy("the host is not on the public internet"),
    "secret": gettext_lazy("the secret is lost; make a new one"),
    # Once good enough; the operator has narrowed what we speak to since.
    **dict.fromkeys(
        ("url", "scheme", "userinfo", "host", "port"),
        gettext_lazy("the address is not allowed any more"),
    ),
}


def state_badge(delivery):
    """The state of a delivery in words and colour; one that waits after a failure warns."""
    waits_again = delivery.state == State.WAITING and delivery.attempts
    kind = "warning" if waits_again else COLOURS.get(delivery.state, "")
    return badge(delivery.get_state_display(), kind)


def result_of(delivery):
    """How the last try went, in a few words, and how long it took."""
    took = f"{delivery.last_milliseconds} ms" if delivery.attempts else ""
    return " · ".join(filter(None, (ending_of(delivery), took))) or "–"


def ending_of(delivery):
    """How the last try went, in as few words as a row has room for."""
    trouble = TROUBLES.get(delivery.last_error, delivery.last_error)
    return " · ".join(filter(None, (str(delivery.last_status or ""), str(trouble))))


class WebhookFilter(DropdownFilter):
    title, parameter_name = gettext_lazy("webhook"), "webhook"

    def lookups(self, request, model_admin):
        return [(str(endpoint.pk), str(endpoint)) for endpoint in WebhookEndpoint.objects.all()]

    def queryset(self, request, queryset):
        known = {pk for pk, _title in self.lookup_choices}
        return queryset.filter(endpoint=self.value()) if self.value() in known else queryset


class StateFilter(RadioFilter):
    title, parameter_name = gettext_lazy("state"), "state"

    def lookups(self, request, model_admin):
        return State.choices

    def queryset(self, request, queryset):
        return queryset.filter(state=self.value()) if self.value() in State else queryset


class KindFilter(DropdownFilter):
    """One of the kinds there are, without asking the table which ones it holds."""

    title, parameter_name = gettext_lazy("event"), "event"

    def lookups(self, request, model_admin):
        return [(kind.name, kind.name) for kind in all_kinds()]

    def queryset(self, request, queryset):
        known = {name for name, _title in self.lookup_choices}
        return queryset.filter(kind=self.value()) if self.value() in known else queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator  # a table too large to count on every visit
    list_disable_select_all = True
    list_display = (
        "created_at",
        "kind",
        "endpoint",
        "state_shown",
        "attempts",
        "ending",
        "next_try",
    )
    list_filter = (WebhookFilter, StateFilter, KindFilter)
    list_select_related = ("endpoint",)
    sortable_by = ()
    actions = ("replay_many",)
    fields = (
        *("kind", "endpoint", "state_shown", "attempts", "result", "next_try"),
        *("created_at", "tried_at", "message_id"),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("endpoint", "event")

    # --- Shown ----------------------------------------------------------------------------------
    def crumb(self, delivery):
        return delivery.kind

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, delivery):
        return state_badge(delivery)

    @admin.display(description=gettext_lazy("last try"))
    def ending(self, delivery):
        return ending_of(delivery) or "–"

    @admin.display(description=gettext_lazy("how it went"))
    def result(self, delivery):
        return result_of(delivery)

    @admin.display(description=gettext_lazy("next try"))
    def next_try(self, delivery):
        return moment(delivery.next_at) if delivery.state == State.WAITING else None

    @admin.display(description=gettext_lazy("message (webhook-id)"))
    def message_id(self, delivery):
        return str(delivery.message_id)

    # --- Again ----------------------------------------------------------------------------------
    def get_actions(self, request):
        may = request.user.has_perm("webhooks.replay_delivery")
        return super().get_actions(request) if may else {}

    @admin.action(description=gettext_lazy("Send again"))
    def replay_many(self, request, queryset):
        self.insist(request, "webhooks.replay_delivery")
        n_done, refused = 0, set()
        for delivery in queryset[:AT_ONCE]:
            try:
                replay_delivery(delivery)
                n_done += 1
            except ValidationError as error:
                refused.add(f"{delivery.endpoint}: {' '.join(error.messages)}")
        if n_done:
            sentence = ngettext(
                "%(n)d is on its way again.", "%(n)d are on their way again.", n_done
            )
            messages.success(request, sentence % {"n": n_done})
        for line in sorted(refused)[:20]:
            messages.error(request, line)

    def get_urls(self):
        return [
            self.own_path("<path:object_id>/replay/", self.replay_view, "replay"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, *args, **kwargs):
        delivery = kwargs.get("obj")
        if delivery is not None and request.user.has_perm("webhooks.replay_delivery"):
            path = reverse(self.url_name("replay"), args=[delivery.pk])
            context["actions_detail"] = [{"title": _("Send again"), "icon": "replay", "path": path}]
        return super().render_change_form(request, context, *args, **kwargs)

    def replay_view(self, request, object_id):
        delivery = self.get_or_404(request, object_id)
        self.insist(request, "webhooks.replay_delivery")
        page = reverse(self.url_name("change"), args=[delivery.pk])
        if request.method == "POST":
            try:
                replay_delivery(delivery)
                messages.success(request, _("It is on its way again."))
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            return redirect(page)
        context = {
            "title": _("Send %(event)s again") % {"event": delivery.kind},
            "sentence": _("It keeps its id, so that the receiver knows whether it has it already."),
            "button": _("Send again"),
            "cancel_url": page,
        }
        return self.page(request, "admin/deed.html", context, obj=delivery)
