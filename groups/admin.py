"""Groups, and who is in them."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from customers.models import Customer
from customers.search import find_customer, search_customers
from groups.models import Group, Subscription
from groups.services import (
    add_to_group,
    create_group,
    delete_group,
    remove_from_group,
    subscribe_customer,
    unsubscribe_customer,
    update_group,
)
from tenancy.admin.base import ModelAdmin, ServiceForm
from tenancy.admin.telling import badge

AT_ONCE = 500


class GroupForm(ServiceForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "title" in self.fields:
            self.fields["title"].required = False
            self.fields["title"].help_text = _("Empty: the code.")
        if "description" in self.fields:
            self.fields["description"].widget.attrs["rows"] = 3


class MembersForm(forms.Form):
    references = forms.CharField(
        label=gettext_lazy("Customers"),
        widget=UnfoldAdminTextareaWidget,
        max_length=50_000,
        help_text=gettext_lazy(
            "One on each line: customer number (CUST-12), card, external id, username or id."
        ),
    )
    subscribed = forms.BooleanField(
        label=gettext_lazy("They want the mail of this group"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Only tick it when they have said so."),
    )


@admin.register(Group)
class GroupAdmin(ModelAdmin):
    form = GroupForm
    history_subject = "group"
    list_display = ("code", "title", "subscribable_shown", "parent", "members", "wanting")
    list_display_links = ("code", "title")
    list_select_related = ("parent",)
    search_fields = ("code", "title")
    search_help_text = gettext_lazy("Code or title")

    def get_queryset(self, request):
        groups = super().get_queryset(request)
        if request.resolver_match.url_name == "groups_group_changelist":
            groups = groups.with_sizes()
        return groups.select_related("parent")

    def get_fieldsets(self, request, obj=None):
        fields = [("code", "title"), "description", "subscribable", "subscribe_text", "parent"]
        return [(None, {"fields": [*fields, "sizes"] if obj else fields})]

    def get_readonly_fields(self, request, obj=None):
        return ("sizes",) if obj else ()

    @admin.display(description=gettext_lazy("who may join"))
    def subscribable_shown(self, group):
        kind = "info" if group.subscribable == Group.Subscribable.PUBLIC else ""
        return badge(group.get_subscribable_display(), kind)

    @admin.display(description=gettext_lazy("members"))
    def members(self, group):
        return format_html(
            '<a class="link" href="{}">{}</a>', self._members_url(group), group.n_members
        )

    @admin.display(description=gettext_lazy("want its mail"))
    def wanting(self, group):
        return group.n_subscribed

    @admin.display(description=gettext_lazy("members"))
    def sizes(self, group):
        sized = Group.objects.with_sizes().get(pk=group.pk)
        return format_html(
            '<a class="link" href="{}">{}</a>',
            self._members_url(group),
            _("%(n)d, of whom %(wanting)d want its mail")
            % {"n": sized.n_members, "wanting": sized.n_subscribed},
        )

    def _members_url(self, group):
        return f"{reverse('admin:customers_customer_changelist')}?group={group.pk}&hidden=all"

    def write(self, request, obj, form, formsets, *, change):
        if change:
            return update_group(obj, **form.changes)
        return create_group(**form.changes)

    def delete_model(self, request, obj):
        delete_group(obj)

    # --- Adding members -------------------------------------------------------------------------
    def get_urls(self):
        return [
            self.own_path("<path:object_id>/add-members/", self.members_view, "add_members"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, *args, **kwargs):
        group = kwargs.get("obj")
        if group is not None:
            context["actions_detail"] = [
                {"title": _("Members"), "icon": "group", "path": self._members_url(group)}
            ]
            if request.user.has_perm("subscriptions.update"):
                context["actions_detail"].append(
                    {
                        "title": _("Add members"),
                        "icon": "group_add",
                        "path": reverse(self.url_name("add_members"), args=[group.pk]),
                    }
                )
        return super().render_change_form(request, context, *args, **kwargs)

    def members_view(self, request, object_id):
        """Put the named customers into the group; those that nobody has stay in the box."""
        group = self.get_or_404(request, object_id)
        self.insist(request, "subscriptions.update")
        form = MembersForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            n_added, refused = self._add_members(group, form.cleaned_data)
            if n_added:
                sentence = ngettext(
                    "%(n)d customer is in the group now.",
                    "%(n)d customers are in the group now.",
                    n_added,
                )
                messages.success(request, sentence % {"n": n_added})
            if not refused:
                return redirect(self.url_name("change"), object_id)
            left = {**form.cleaned_data, "references": "\n".join(name for name, _why in refused)}
            form = MembersForm(left)
            for name, why in refused[:20]:
                form.add_error("references", f"{name}: {why}")
        context = {
            "title": _("Add members to %(group)s") % {"group": group},
            "form": form,
            "button": _("Add"),
            "cancel_url": reverse(self.url_name("change"), args=[group.pk]),
        }
        return self.page(request, "admin/deed.html", context, obj=group)

    def _add_members(self, group, values):
        n_added, refused = 0, []
        names = list(dict.fromkeys(filter(None, map(str.strip, values["references"].splitlines()))))
        for position, name in enumerate(names):
            customer = find_customer(name) if position < AT_ONCE else None
            if position >= AT_ONCE:
                refused.append((name, _("at most %(n)d at once") % {"n": AT_ONCE}))
            elif customer is None:
                refused.append((name, _("nobody has it")))
            else:
                try:
                    # Nobody has said anything where it is not ticked: a member's wish stays.
                    deed = subscribe_customer if values["subscribed"] else add_to_group
                    deed(customer, group, subscribed=values["subscribed"], source="back office")
                    n_added += 1
                except ValidationError as error:
                    refused.append((name, " ".join(error.messages)))
        return n_added, refused


class OneGroupFilter(DropdownFilter):
    title, parameter_name = gettext_lazy("group"), "group"

    def lookups(self, request, model_admin):
        return [(str(group.pk), str(group)) for group in Group.objects.all()[:500]]

    def queryset(self, request, queryset):
        known = {pk for pk, _title in self.lookup_choices}
        return queryset.filter(group=self.value()) if self.value() in known else queryset


class WantsMailFilter(RadioFilter):
    title, parameter_name = gettext_lazy("wants its mail"), "subscribed"

    def lookups(self, request, model_admin):
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request, queryset):
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(subscribed=self.value() == "yes")


@admin.register(Subscription)
class SubscriptionAdmin(ModelAdmin):
    """Memberships over all groups. One is made on the customer's page or on the group's."""

    paginator = InfinitePaginator  # a table too large to count on every visit
    list_disable_select_all = True
    list_display = ("customer_shown", "group", "wants", "at", "who_said", "source")
    list_display_links = ("customer_shown",)
    list_filter = (OneGroupFilter, WantsMailFilter)
    fields = (
        *("customer_shown", "group", "wants", "at", "who_said", "store", "source"),
        *("wording_version", "custom_data1", "custom_data2", "custom_data3", "custom_data4"),
    )
    search_fields = ("customer__search_text",)
    search_help_text = gettext_lazy("Name, e-mail, phone, card or number of the customer")
    # The newest code is the newest membership, and the index on it gives the order.
    ordering = ("-code",)
    sortable_by = ()
    actions = ("subscribe_many", "unsubscribe_many", "remove_many")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("customer", "group", "store")

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        found = search_customers(Customer.objects.all(), search_term)
        return queryset.filter(customer__in=found.order_by().values("pk")), False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def crumb(self, subscription):
        return f"{subscription.customer.code} · {subscription.group}"

    @admin.display(description=gettext_lazy("customer"))
    def customer_shown(self, subscription):
        customer = subscription.customer
        return " · ".join(filter(None, (customer.code, customer.display_name)))

    @admin.display(description=gettext_lazy("wants its mail"))
    def wants(self, subscription):
        if subscription.subscribed:
            return badge(_("Yes"), "success")
        return badge(_("No"), "danger")

    @admin.display(description=gettext_lazy("who said so"))
    def who_said(self, subscription):
        return subscription.actor_label or subscription.actor_kind or "–"

    def get_actions(self, request):
        return super().get_actions(request) if self._may_change(request) else {}

    def _may_change(self, request):
        return request.user.has_perm("subscriptions.update")

    @admin.action(description=gettext_lazy("They want the mail"))
    def subscribe_many(self, request, queryset):
        self._do(request, queryset, subscribe_customer)

    @admin.action(description=gettext_lazy("They do not want the mail"))
    def unsubscribe_many(self, request, queryset):
        self._do(request, queryset, unsubscribe_customer)

    @admin.action(description=gettext_lazy("Remove from the group"))
    def remove_many(self, request, queryset):
        self._do(request, queryset, remove_from_group)

    def _do(self, request, queryset, deed):
        self.insist(request, "subscriptions.update")
        n_done, refused = 0, []
        for subscription in queryset[:AT_ONCE]:
            try:
                deed(subscription.customer, subscription.group)
                n_done += 1
            except ValidationError as error:
                refused.append(f"{subscription.customer}: {' '.join(error.messages)}")
        if n_done:
            sentence = ngettext("Done for %(n)d.", "Done for %(n)d.", n_done) % {"n": n_done}
            messages.success(request, sentence)
        for line in refused[:20]:
            messages.error(request, line)
