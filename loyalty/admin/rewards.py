"""The catalogue of rewards, and what was redeemed."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from loyalty.admin.fields import (
    LoyaltyForm,
    instant_field,
    number_field,
    other_languages,
    period_in_words,
    translation_fields,
)
from loyalty.admin.ledger import OfCustomers
from loyalty.amounts import points_told
from loyalty.models import Level, Redemption, Reward
from loyalty.services.redeeming import (
    cancel_redemption,
    find_coupon,
    set_delivery,
    unuse_coupon,
    use_coupon,
)
from loyalty.services.rewards import create_reward, delete_reward, update_reward
from tenancy import clock
from tenancy.admin.base import ModelAdmin, ReadOnlyAdmin
from tenancy.admin.telling import badge


class RewardForm(LoyaltyForm):
    numbers = {"cost": 2}
    translated = True

    cost = number_field(gettext_lazy("Price in points"), required=True)
    levels = forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        label=gettext_lazy("Only for the levels"),
        help_text=gettext_lazy("None: for everybody."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    active_from = instant_field(gettext_lazy("Active from"))
    active_to = instant_field(gettext_lazy("Active until"))
    locals().update(translation_fields())

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "position" in self.fields:
            self.fields["position"].required = False
            self.fields["description"].widget.attrs["rows"] = 3
        if "levels" in self.fields:
            self.fields["levels"].queryset = Level.objects.all()
            if not self.instance._state.adding:
                self.initial["levels"] = list(self.instance.levels.all())

    @property
    def wishes(self):
        wishes = super().wishes
        if "levels" in wishes:
            wishes["levels"] = [str(level.pk) for level in wishes["levels"]]
        return wishes

    class Meta:
        model = Reward
        fields = (
            *("name", "description", "cost", "stock", "per_customer", "valid_days", "delivered"),
            *("active", "active_from", "active_to", "position"),
        )


@admin.register(Reward)
class RewardAdmin(ModelAdmin):
    form = RewardForm
    history_subject = "reward"
    list_display = ("name", "cost_shown", "stock_shown", "period", "state")
    list_display_links = ("name",)
    sortable_by = ()

    def get_fieldsets(self, request, obj=None):
        fieldsets = [
            (
                None,
                {
                    "fields": [
                        ("name", "position"),
                        ("cost", "stock"),
                        ("per_customer", "valid_days"),
                        ("active", "delivered"),
                        "active_from",
                        "active_to",
                        "description",
                        "levels",
                    ]
                },
            )
        ]
        for language, title in other_languages():
            fieldsets.append((title, {"fields": [f"name_{language}", f"description_{language}"]}))
        return fieldsets

    @admin.display(description=gettext_lazy("price"))
    def cost_shown(self, reward):
        return _("%(points)s points") % {"points": points_told(reward.cost)}

    @admin.display(description=gettext_lazy("redeemed"))
    def stock_shown(self, reward):
        if reward.stock is None:
            return str(reward.n_redeemed)
        return _("%(n)d of %(stock)d") % {"n": reward.n_redeemed, "stock": reward.stock}

    @admin.display(description=gettext_lazy("when"))
    def period(self, reward):
        return period_in_words(reward)

    @admin.display(description=gettext_lazy("state"))
    def state(self, reward):
        if not reward.active:
            return badge(_("Off"))
        if reward.stock is not None and reward.n_redeemed >= reward.stock:
            return badge(_("Sold out"), "warning")
        now = clock.now()
        begun = reward.active_from is None or reward.active_from <= now
        over = reward.active_to is not None and reward.active_to <= now
        return (
            badge(_("In force"), "success") if begun and not over else badge(_("Not now"), "info")
        )

    def write(self, request, obj, form, formsets, *, change):
        return update_reward(obj, **form.wishes) if change else create_reward(**form.wishes)

    def delete_model(self, request, obj):
        delete_reward(obj)


class StateFilter(DropdownFilter):
    title, parameter_name = gettext_lazy("state"), "state"

    def lookups(self, request, model_admin):
        return [
            ("open", _("Can be used")),
            ("used", _("Used")),
            ("cancelled", _("Cancelled")),
        ]

    def queryset(self, request, queryset):
        if self.value() == "open":
            return queryset.open(clock.now())
        if self.value() == "used":
            return queryset.filter(used_at__isnull=False)
        if self.value() == "cancelled":
            return queryset.filter(cancelled_at__isnull=False)
        return queryset


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
    )


class DeliveryForm(forms.Form):
    delivery = forms.ChoiceField(
        label=gettext_lazy("Delivery"),
        choices=Redemption.Delivery.choices,
        widget=UnfoldAdminSelectWidget,
    )


def redemption_badge(redemption):
    """Where a redemption stands, in colour and words."""
    if redemption.cancelled_at:
        return badge(_("Cancelled"), "danger")
    if redemption.used_at:
        return badge(_("Used"))
    if redemption.active_until and redemption.active_until <= clock.now():
        return badge(_("Run out"), "warning")
    return badge(_("Can be used"), "success")


@admin.register(Redemption)
class RedemptionAdmin(OfCustomers, ReadOnlyAdmin):
    list_display = ("redeemed_at", "name", "coupon", "customer_shown", "state", "delivery")
    list_display_links = ("redeemed_at", "name")
    list_filter = (StateFilter, ("redeemed_at", RangeDateFilter))
    ordering = ("-redeemed_at", "-id")
    search_fields = ("coupon", "account__customer__search_text")
    search_help_text = gettext_lazy("Coupon, or name, card, e-mail of the customer")
    fields = (
        *("name", "coupon", "customer_shown", "price", "state", "redeemed_at", "active_until"),
        *("used_at", "cancelled_at", "delivery"),
    )

    def get_search_results(self, request, queryset, search_term):
        if found := find_coupon(search_term):
            return queryset.filter(pk=found.pk), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=gettext_lazy("state"))
    def state(self, redemption):
        return redemption_badge(redemption)

    @admin.display(description=gettext_lazy("price"))
    def price(self, redemption):
        return _("%(points)s points") % {"points": points_told(redemption.cost)}

    # --- Deeds ----------------------------------------------------------------------------------
    def get_urls(self):
        return [
            self.own_path("<path:object_id>/use/", self.use_view, "use"),
            self.own_path("<path:object_id>/unuse/", self.unuse_view, "unuse"),
            self.own_path("<path:object_id>/cancel/", self.cancel_view, "cancel"),
            self.own_path("<path:object_id>/delivery/", self.delivery_view, "delivery"),
            *super().get_urls(),
        ]

    def render_change_form(self, request, context, *args, **kwargs):
        redemption = kwargs.get("obj")
        if redemption is not None:
            context["actions_detail"] = list(self._buttons(request, redemption))
        return super().render_change_form(request, context, *args, **kwargs)

    def _buttons(self, request, redemption):
        is_open = not redemption.used_at and not redemption.cancelled_at
        for name, title, icon, fits in (
            ("use", _("Mark as used"), "task_alt", is_open),
            ("unuse", _("Take the use back"), "undo", bool(redemption.used_at)),
            ("cancel", _("Cancel"), "cancel", is_open),
            ("delivery", _("Delivery"), "local_shipping", bool(redemption.delivery) and is_open),
        ):
            if fits and request.user.has_perm(f"redemptions.{name}"):
                path = reverse(self.url_name(name), args=[redemption.pk])
                yield {"title": title, "icon": icon, "path": path}

    def use_view(self, request, object_id):
        """The coupon was handed in."""
        return self._deed(
            request,
            object_id,
            "use",
            forms.Form,
            _("Mark as used"),
            _("The coupon works once; from now on it is used."),
            lambda redemption, values: use_coupon(redemption),
        )

    def unuse_view(self, request, object_id):
        """The wrong coupon was handed in."""
        return self._deed(
            request,
            object_id,
            "unuse",
            ReasonForm,
            _("Take the use back"),
            _("The coupon was used by mistake; it works again, until the day on which it ends."),
            lambda redemption, values: unuse_coupon(redemption, reason=values["reason"]),
        )

    def cancel_view(self, request, object_id):
        """The points go back."""
        return self._deed(
            request,
            object_id,
            "cancel",
            ReasonForm,
            _("Cancel the redemption"),
            _("The coupon stops working and the customer gets the points back."),
            lambda redemption, values: cancel_redemption(redemption, reason=values["reason"]),
        )

    def delivery_view(self, request, object_id):
        """Where the delivery stands."""
        return self._deed(
            request,
            object_id,
            "delivery",
            DeliveryForm,
            _("Delivery"),
            "",
            lambda redemption, values: set_delivery(redemption, values["delivery"]),
        )

    def _deed(self, request, object_id, operation, form_class, title, sentence, run):
        redemption = self.get_or_404(request, object_id)
        self.insist(request, f"redemptions.{operation}")
        back = reverse(self.url_name("change"), args=[redemption.pk])
        form = form_class(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                run(redemption, form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(request, _("%(title)s: done.") % {"title": title})
                return redirect(back)
        context = {
            "title": f"{redemption.name} {redemption.coupon}: {title}",
            "sentence": sentence,
            "form": form,
            "button": title,
            "danger": operation == "cancel",
            "cancel_url": back,
        }
        return self.page(request, "admin/deed.html", context, obj=redemption)
