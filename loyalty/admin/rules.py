"""What earns points."""

from uuid import UUID

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.admin.fields import LoyaltyForm, instant_field, number_field, period_in_words
from loyalty.amounts import TEN_THOUSANDTHS, number_out, plain, points_told
from loyalty.models import EarningRule, Level, LevelMultiplier
from loyalty.services.rules import (
    create_earning_rule,
    delete_earning_rule,
    update_earning_rule,
)
from tenancy import clock
from tenancy.admin.base import ModelAdmin
from tenancy.admin.telling import badge
from tenancy.scoping import current_tenant

TIMES = "times_"


class EarningRuleForm(LoyaltyForm):
    numbers = {"rate": TEN_THOUSANDTHS, "points": 2, "min_amount": "money"}

    rate = number_field(
        gettext_lazy("Points per unit of the currency"), help_text=gettext_lazy("For purchases.")
    )
    points = number_field(
        gettext_lazy("Points"), help_text=gettext_lazy("For registering and for the newsletter.")
    )
    min_amount = number_field(gettext_lazy("Smallest purchase"))
    active_from = instant_field(gettext_lazy("Active from"))
    active_to = instant_field(gettext_lazy("Active until"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in self.times:
            self.initial[name] = "1"
        if not self.instance._state.adding:
            for row in LevelMultiplier.objects.filter(rule=self.instance):
                name = f"{TIMES}{row.level_id.hex}"
                self.initial[name] = plain(number_out(row.factor, TEN_THOUSANDTHS))

    @property
    def times(self):
        return [name for name in self.fields if name.startswith(TIMES)]

    @property
    def wishes(self):
        wishes = super().wishes
        touched = [name for name in self.times if name in wishes]
        for name in [*touched, *(name for name in self.numbers if name in wishes)]:
            wishes[name] = wishes[name] or "0"
        if touched:
            wishes = {name: value for name, value in wishes.items() if name not in touched}
            wishes["multipliers"] = [
                {"level": UUID(name.removeprefix(TIMES)), "factor": self.cleaned_data[name]}
                for name in self.times
                if self.cleaned_data[name].strip() not in ("", "1")
            ]
        return wishes

    class Meta:
        model = EarningRule
        fields = (
            *("name", "kind", "rate", "points", "min_amount", "exclude_delivery"),
            *("active", "active_from", "active_to"),
        )


@admin.register(EarningRule)
class EarningRuleAdmin(ModelAdmin):
    form = EarningRuleForm
    history_subject = "earning_rule"
    list_display = ("name", "kind_shown", "gives", "period", "state")
    list_display_links = ("name",)
    sortable_by = ()

    def get_form(self, request, obj=None, change=False, **kwargs):
        # One field per level, named by its id: levels come and go.
        kwargs["fields"] = EarningRuleForm.Meta.fields
        form = super().get_form(request, obj, change=change, **kwargs)
        times = {
            f"{TIMES}{level.pk.hex}": number_field(_("Times on %(level)s") % {"level": level})
            for level in Level.objects.all()
        }
        return type(form.__name__, (form,), times)

    def get_fieldsets(self, request, obj=None):
        times = [f"{TIMES}{level.pk.hex}" for level in Level.objects.all()]
        return [
            (
                None,
                {
                    "fields": [
                        ("name", "kind"),
                        ("rate", "points"),
                        ("min_amount", "exclude_delivery"),
                        "active",
                        "active_from",
                        "active_to",
                    ]
                },
            ),
            (
                _("By level"),
                {
                    "fields": times,
                    "description": _("How many times as much the rule gives on each level."),
                },
            ),
        ]

    @admin.display(description=gettext_lazy("for"))
    def kind_shown(self, rule):
        return rule.get_kind_display()

    @admin.display(description=gettext_lazy("gives"))
    def gives(self, rule):
        if rule.kind == EarningRule.Kind.PURCHASE:
            rate = plain(number_out(rule.rate, TEN_THOUSANDTHS))
            return _("%(rate)s points per %(currency)s") % {
                "rate": rate,
                "currency": current_tenant().currency,
            }
        return _("%(points)s points") % {"points": points_told(rule.points)}

    @admin.display(description=gettext_lazy("when"))
    def period(self, rule):
        return period_in_words(rule)

    @admin.display(description=gettext_lazy("state"))
    def state(self, rule):
        if not rule.active:
            return badge(_("Off"))
        if EarningRule.objects.in_force(clock.now()).filter(pk=rule.pk).exists():
            return badge(_("In force"), "success")
        return badge(_("Not now"), "info")

    def write(self, request, obj, form, formsets, *, change):
        if change:
            return update_earning_rule(obj, **form.wishes)
        return create_earning_rule(**form.wishes)

    def delete_model(self, request, obj):
        delete_earning_rule(obj)
