"""Webhooks: who is told of what, how that goes, and telling them again."""

from datetime import timedelta

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from events.admin.deliveries import result_of, state_badge
from events.kinds import EVERYTHING, all_kinds
from events.models import WebhookEndpoint
from events.webhooks.managing import (
    LONGEST_OVERLAP,
    OVERLAP_HOURS,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    update_endpoint,
)
from events.webhooks.replaying import replay_failed, send_test
from tenancy import clock
from tenancy.admin.base import ModelAdmin, ServiceForm
from tenancy.admin.telling import badge, moment

N_LATEST = 20
HEALTH = {
    "new": (gettext_lazy("Nothing sent yet"), ""),
    "working": (gettext_lazy("Works"), "success"),
    "failing": (gettext_lazy("Fails"), "warning"),
    "paused": (gettext_lazy("Paused"), ""),
    "disabled": (gettext_lazy("Switched off"), "danger"),
}
SINCE = [
    ("1", gettext_lazy("the last 24 hours")),
    ("7", gettext_lazy("the last 7 days")),
    ("30", gettext_lazy("the last 30 days")),
]


def event_choices():
    """Every kind under its group, each group with one box for all of it."""
    groups = {}
    for kind in all_kinds():
        groups.setdefault(kind.group, []).append((kind.name, f"{kind.name}: {kind.meaning}"))
    yield EVERYTHING, _("Everything, also what there will be later, but no reads")
    for group, kinds in groups.items():
        title = group.replace("_", " ").capitalize()
        yield title, [(f"{group}.*", _("%(group)s.*: all of these") % {"group": group}), *kinds]


class EndpointForm(ServiceForm):
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=2000,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Begins with https:// and leads to a server on the internet."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Whom it tells: the web shop, the newsletter."),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Is told of"),
        choices=event_choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    active = forms.BooleanField(
        label=gettext_lazy("Active"),
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Switched on again, it goes on where it stopped."),
    )


class RotateForm(forms.Form):
    hours = forms.IntegerField(
        label=gettext_lazy("Hours for which the old secret works too"),
        min_value=0,
        max_value=LONGEST_OVERLAP,
        initial=OVERLAP_HOURS,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("0 when somebody else may know it: then it ends now."),
    )


class ReplayForm(forms.Form):
    since = forms.ChoiceField(
        label=gettext_lazy("What was given up in"), choices=SINCE, widget=UnfoldAdminSelectWidget
    )


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ModelAdmin):
    form = EndpointForm
    list_display = ("name", "host", "told_of", "health_shown", "waiting", "last_success_at")
    list_display_links = ("name",)
    sortable_by = ()
    history_subject = "webhook"

    def get_queryset(self, request):
        return super().get_queryset(request).with_waiting().order_by("created_at")

    def get_fieldsets(self, request, obj=None):
        fields = ("url", "description", "events", "active")
        if obj is None:
            return [(None, {"fields": fields})]
        shown = ("health_shown", "problem", "waiting", "last_success_at", "old_secret", "log")
        return [(_("How it is doing"), {"fields": shown}), (_("Set-up"), {"fields": fields})]

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return ()
        return ("health_shown", "problem", "waiting", "last_success_at", "old_secret", "log")

    # --- Shown ----------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("webhook"))
    def name(self, endpoint):
        return str(endpoint)

    @admin.display(description=gettext_lazy("server"))
    def host(self, endpoint):
        return endpoint.host

    @admin.display(description=gettext_lazy("is told of"))
    def told_of(self, endpoint):
        names = endpoint.events
        if EVERYTHING in names:
            return _("everything")
        return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")

    @admin.display(description=gettext_lazy("state"))
    def health_shown(self, endpoint):
        return badge(*HEALTH[endpoint.health])

    @admin.display(description=gettext_lazy("waiting"))
    def waiting(self, endpoint):
        return endpoint.n_waiting

    @admin.display(description=gettext_lazy("trouble"))
    def problem(self, endpoint):
        if endpoint.disabled_at:
            reason = endpoint.get_disabled_reason_display()
            return _("Switched off %(at)s: %(reason)s.") % {
                "at": moment(endpoint.disabled_at),
                "reason": reason,
            }
        if endpoint.failing_since:
            since = moment(endpoint.failing_since)
            return _("The last tries failed, since %(at)s.") % {"at": since}
        return "–"

    @admin.display(description=gettext_lazy("old secret works until"), empty_value="–")
    def old_secret(self, endpoint):
        until = endpoint.previous_until
        return moment(until) if until and until > clock.now() else None

    @admin.display(description=gettext_lazy("sent last"))
    def log(self, endpoint):
        deliveries = list(endpoint.deliveries.order_by("-created_at")[:N_LATEST])
        if not deliveries:
            return _("Nothing yet.")
        rows = format_html_join(
            "",
            '<tr><td class="nowrap">{}</td><td class="nowrap"><a class="link" href="{}">{}</a></td>'
            "<td>{}</td>"
            '<td class="nowrap">{}</td></tr>',
            (
                (
                    moment(row.created_at),
                    reverse("admin:events_webhookdelivery_change", args=[row.pk]),
                    row.kind,
                    state_badge(row),
                    result_of(row),
                )
                for row in deliveries
            ),
        )
        return format_html(
            '<div class="table-frame"><table class="plain-table"><tbody>{}</tbody></table></div>',
            rows,
        )

    # --- Made, changed, removed -----------------------------------------------------------------
    def write(self, request, obj, form, formsets, *, change):
        if change:
            return update_endpoint(obj, **form.changes)
        names = ("url", "description", "events", "active")
        values = {name: form.cleaned_data[name] for name in names}
        # Only for the answer to this very request; it is stored nowhere.
        endpoint, request.plain_secret = create_endpoint(**values)
        return endpoint

    def response_add(self, request, obj, post_url_continue=None):
        return self._secret_shown(request, obj, request.plain_secret)

    def delete_model(self, request, obj):
        delete_endpoint(obj)

    def delete_queryset(self, request, queryset):
        for endpoint in queryset:
            delete_endpoint(endpoint)

    def _secret_shown(self, request, endpoint, secret):
        context = {"title": _("Secret of the webhook"), "webhook": endpoint, "plain": secret}
        response = self.page(request, "admin/events/secret_shown.html", context, obj=endpoint)
        response["Cache-Control"] = "no-store"
        return response

    # --- Deeds ----------------------------------------------------------------------------------
    def get_urls(self):
        return [
            self.own_path("<path:object_id>/test/", self.test_view, "test"),
            self.own_path("<path:object_id>/rotate/", self.rotate_view, "rotate"),
            self.own_path("<path:object_id>/replay/", self.replay_view, "replay"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, *args, **kwargs):
        # One at a time: the secret of each is shown on the page after this one.
        context |= {"show_save_and_add_another": False}
        endpoint = kwargs.get("obj")
        if endpoint is None:
            context |= {"show_save_and_continue": False}
        else:
            # In one menu: side by side they leave no room for the name of the page.
            context["actions_detail"] = [
                {
                    "title": _("Actions"),
                    "icon": "bolt",
                    "method_name": "deeds",
                    "items": list(self._links(request, endpoint)),
                }
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def _links(self, request, endpoint):
        log = reverse("admin:events_webhookdelivery_changelist")
        yield {
            "title": _("Log"),
            "icon": "list_alt",
            "path": f"{log}?webhook={endpoint.pk}",
        }
        deeds = (
            ("test", "webhooks.test", _("Send a test"), "send"),
            ("replay", "webhooks.replay", _("Send failed ones again"), "replay"),
            ("rotate", "webhooks.rotate_secret", _("New secret"), "key"),
        )
        for name, operation, title, icon in deeds:
            if request.user.has_perm(operation):
                path = reverse(self.url_name(name), args=[endpoint.pk])
                yield {"title": title, "icon": icon, "path": path}

    def test_view(self, request, object_id):
        endpoint = self.get_or_404(request, object_id)
        self.insist(request, "webhooks.test")
        if request.method == "POST":
            send_test(endpoint)
            messages.success(request, _("A test is on its way; the log tells how it went."))
            return redirect(self.url_name("change"), endpoint.pk)
        sentence = _("A message of the kind webhook.test goes there once, about nobody.")
        return self._deed(request, endpoint, _("Send a test"), sentence)

    def rotate_view(self, request, object_id):
        endpoint = self.get_or_404(request, object_id)
        self.insist(request, "webhooks.rotate_secret")
        form = RotateForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            secret = rotate_secret(endpoint, hours=form.cleaned_data["hours"])
            return self._secret_shown(request, endpoint, secret)
        sentence = _("For a while messages are signed with both, so that the receiver can follow.")
        return self._deed(request, endpoint, _("New secret"), sentence, form=form)

    def replay_view(self, request, object_id):
        endpoint = self.get_or_404(request, object_id)
        self.insist(request, "webhooks.replay")
        form = ReplayForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            since = clock.now() - timedelta(days=int(form.cleaned_data["since"]))
            try:
                n_again = replay_failed(endpoint, since=since)
                messages.success(request, _("%(n)d are on their way again.") % {"n": n_again})
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
            return redirect(self.url_name("change"), endpoint.pk)
        sentence = _("Each message keeps its id, so that the receiver knows what it has already.")
        return self._deed(request, endpoint, _("Send failed ones again"), sentence, form=form)

    def _deed(self, request, endpoint, title, sentence, **context):
        context |= {
            "title": f"{title}: {endpoint}",
            "sentence": sentence,
            "button": title,
            "cancel_url": reverse(self.url_name("change"), args=[endpoint.pk]),
        }
        return self.page(request, "admin/deed.html", context, obj=endpoint)
