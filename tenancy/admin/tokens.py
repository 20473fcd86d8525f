"""Access tokens: made, shown once, revoked; never shown again."""

from datetime import timedelta

from django import forms
from django.contrib import admin, messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.paginator import InfinitePaginator
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from tenancy import clock
from tenancy.admin.base import ModelAdmin, ServiceForm
from tenancy.admin.members import stores_field
from tenancy.admin.rights import scope_choices
from tenancy.admin.telling import badge, moment
from tenancy.models import AccessToken, StaffMember, Store
from tenancy.scoping import current_tenant
from tenancy.services import create_token, revoke_token

Holder = AccessToken.Holder
LIFETIMES = [
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("A year")),
    ("", gettext_lazy("Until it is revoked")),
]


class TokenForm(ServiceForm):
    remembers_values = False
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("What it is for: the till at the harbour, the web shop."),
    )
    holder = forms.ChoiceField(
        label=gettext_lazy("For"),
        choices=[
            (Holder.SERVICE, gettext_lazy("a service: exactly the rights ticked below")),
            (Holder.STAFF, gettext_lazy("a staff member: the rights of the role, or some of them")),
        ],
        initial=Holder.SERVICE,
        widget=UnfoldAdminRadioSelectWidget,
    )
    staff = forms.ModelChoiceField(
        queryset=None,
        label=gettext_lazy("Staff member"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"),
        choices=scope_choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("For a staff member, none ticked means all of the role."),
    )
    stores = stores_field(gettext_lazy("None: not bound to a store."))
    lifetime = forms.ChoiceField(
        label=gettext_lazy("Works for"),
        choices=LIFETIMES,
        initial="365",
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "staff" in self.fields:
            staff = StaffMember.objects.filter(active=True).select_related("user")
            self.fields["staff"].queryset = staff
        if "stores" in self.fields:
            self.fields["stores"].queryset = Store.objects.all()


@admin.register(AccessToken)
class AccessTokenAdmin(ModelAdmin):
    form = TokenForm
    paginator = InfinitePaginator  # a table too large to count on every visit
    list_disable_select_all = True
    list_display = ("label", "holder_shown", "begins", "state", "created_at", "expires_at", "used")
    list_display_links = ("label",)
    list_filter = ("holder",)
    search_fields = ("name", "prefix")
    search_help_text = gettext_lazy("Name or beginning of the token")
    sortable_by = ("created_at",)

    def get_queryset(self, request):
        # A refresh token is the other half of a sign-in; it ends with its access token.
        tokens = super().get_queryset(request).filter(kind=AccessToken.Kind.ACCESS)
        return tokens.select_related("staff__user").prefetch_related("stores")

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            fields = ("name", "holder", "staff", "scopes", "stores", "lifetime")
        else:
            fields = (
                *("label", "holder_shown", "begins", "state", "rights", "bound_to"),
                *("created_at", "expires_at", "used"),
            )
        return [(None, {"fields": fields})]

    def has_delete_permission(self, request, obj=None):
        # A token is revoked, which leaves the row as evidence.
        return False

    def may_revoke(self, request):
        return request.user.has_perm("tenancy.delete_accesstoken")

    # --- Shown ----------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("name"))
    def label(self, token):
        return token.name or _("Sign-in")

    @admin.display(description=gettext_lazy("for"))
    def holder_shown(self, token):
        if token.staff_id:
            return str(token.staff)
        return token.get_holder_display()

    @admin.display(description=gettext_lazy("begins with"))
    def begins(self, token):
        return f"{token.prefix}…"

    @admin.display(description=gettext_lazy("state"))
    def state(self, token):
        if token.revoked_at:
            return badge(_("Revoked"), "danger")
        if token.expires_at and token.expires_at <= clock.now():
            return badge(_("Expired"), "warning")
        return badge(_("Works"), "success")

    @admin.display(description=gettext_lazy("last used"))
    def used(self, token):
        return moment(token.used_at) or _("never")

    @admin.display(description=gettext_lazy("rights"))
    def rights(self, token):
        return ", ".join(token.scopes) or _("all of the role")

    @admin.display(description=gettext_lazy("stores"))
    def bound_to(self, token):
        return ", ".join(store.name for store in token.stores.all()) or _("all")

    # --- Made once, shown once ------------------------------------------------------------------
    def write(self, request, obj, form, formsets, *, change):
        values = form.cleaned_data
        is_staff = values["holder"] == Holder.STAFF
        lifetime = values["lifetime"]
        token, plain = create_token(
            current_tenant(),
            holder=values["holder"],
            scopes=(values["scopes"] or None) if is_staff else values["scopes"],
            staff=values["staff"] if is_staff else None,
            stores=values["stores"],
            name=values["name"],
            lifetime=timedelta(days=int(lifetime)) if lifetime else None,
        )
        # Only for the answer to this very request; it is stored nowhere.
        request.plain_token = plain
        return token

    def response_add(self, request, obj, post_url_continue=None):
        context = {"title": _("Access token"), "token": obj, "plain": request.plain_token}
        response = self.page(request, "admin/token_shown.html", context, obj=obj)
        response["Cache-Control"] = "no-store"
        return response

    # --- Revoking -------------------------------------------------------------------------------
    def get_urls(self):
        return [
            self.own_path("<path:object_id>/revoke/", self.revoke_view, "revoke"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, *args, **kwargs):
        # One token at a time: each is shown on the page after this one.
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        obj = kwargs.get("obj")
        if obj is not None and obj.revoked_at is None and self.may_revoke(request):
            context["actions_detail"] = [
                {
                    "title": _("Revoke"),
                    "icon": "block",
                    "path": reverse(self.url_name("revoke"), args=[obj.pk]),
                }
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def revoke_view(self, request, object_id):
        token = self.get_or_404(request, object_id)
        self.insist(request, "tenancy.delete_accesstoken")
        if request.method == "POST":
            revoke_token(token)
            messages.success(request, _("The token %(token)s is revoked.") % {"token": token})
            return redirect(self.url_name("changelist"))
        context = {
            "title": _("Revoke %(token)s") % {"token": token},
            "sentence": _(
                "Whoever uses this token is turned away from now on. It cannot be undone."
            ),
            "button": _("Revoke"),
            "danger": True,
            "cancel_url": reverse(self.url_name("change"), args=[token.pk]),
        }
        return self.page(request, "admin/deed.html", context, obj=token)
