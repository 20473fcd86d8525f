"""What staff do with a customer's points and level, started from the loyalty tab."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from customers.admin.deed import Deed, ReasonForm
from customers.admin.once import source_of
from customers.search import find_customer
from loyalty.amounts import number_in, number_out, plain, points_told
from loyalty.models import Level, LoyaltyAccount, Reward
from loyalty.services import adjust_points, assign_level, remove_manual_level, transfer_points
from loyalty.services.redeeming import redeem_reward
from tenancy import clock
from tenancy.permissions import SELLER


class AdjustForm(forms.Form):
    way = forms.ChoiceField(
        label=gettext_lazy("What"),
        choices=[("add", gettext_lazy("Add points")), ("take", gettext_lazy("Take points"))],
        widget=UnfoldAdminSelectWidget,
    )
    points = forms.CharField(
        label=gettext_lazy("Points"),
        max_length=40,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Stands in the timeline, with your name."),
    )


class LevelForm(forms.Form):
    level = forms.ChoiceField(label=gettext_lazy("Level"), widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["level"].choices = [
            (str(level.pk), f"{level.name} ({plain(number_out(level.reward_percent))} %)")
            for level in Level.objects.active()
        ]


class SendForm(forms.Form):
    receiver = forms.CharField(
        label=gettext_lazy("To"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Customer number (CUST-12), card, external id or username."),
    )
    points = AdjustForm.base_fields["points"]
    reason = AdjustForm.base_fields["reason"]


class RewardForm(forms.Form):
    reward = forms.ChoiceField(label=gettext_lazy("Reward"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reward"].choices = [
            (str(reward.pk), f"{reward.name} – {points_told(reward.cost)}")
            for reward in Reward.objects.in_force(clock.now())
        ]


def _points(text):
    try:
        return number_in(text)
    except ValidationError as error:
        raise ValidationError({"points": error.error_list}) from error


def run_adjustment(customer, values):
    points = _points(values["points"])
    ceiling = None
    if values["role"] == SELLER:
        ceiling = customer.tenant.setting("seller_points_ceiling") * 100
    adjust_points(
        customer,
        points=points if values["way"] == "add" else -points,
        reason=values["reason"],
        source=source_of("adjust-points", customer, values),
        ceiling=ceiling,
    )


def run_assignment(customer, values):
    level = Level.objects.get(pk=values["level"])
    assign_level(customer, level, reason=values["reason"])


def run_removal(customer, values):
    remove_manual_level(customer, reason=values["reason"])


def run_sending(customer, values):
    receiver = find_customer(values["receiver"])
    if receiver is None:
        raise ValidationError(
            {"receiver": ValidationError(_("Nobody has it."), code="does_not_exist")}
        )
    transfer_points(
        customer,
        receiver,
        points=_points(values["points"]),
        source=source_of("send-points", customer, values),
        note=values["reason"],
    )


def run_redemption(customer, values):
    redeem_reward(
        customer,
        Reward.objects.get(pk=values["reward"]),
        source=source_of("redeem", customer, values),
    )


def has_assigned_level(customer):
    return LoyaltyAccount.objects.filter(customer=customer, manual_level__isnull=False).exists()


LOYALTY_DEEDS = (
    Deed(
        "adjust-points",
        gettext_lazy("Adjust points"),
        gettext_lazy(
            "Corrects the balance by hand. The reason and your name stand in the timeline; "
            "nothing that stands there is ever changed."
        ),
        gettext_lazy("The points of %(customer)s are adjusted."),
        "tune",
        "points.adjust",
        AdjustForm,
        run_adjustment,
    ),
    Deed(
        "redeem",
        gettext_lazy("Redeem a reward"),
        gettext_lazy("The price is taken from the points, and a coupon is made."),
        gettext_lazy("The reward is redeemed; the coupon stands below."),
        "redeem",
        "redemptions.create",
        RewardForm,
        run_redemption,
        lambda customer: Reward.objects.in_force(clock.now()).exists(),
    ),
    Deed(
        "send-points",
        gettext_lazy("Send points"),
        gettext_lazy("Points go to another customer; each keeps the day on which it expires."),
        gettext_lazy("The points are sent."),
        "call_made",
        "points.transfer",
        SendForm,
        run_sending,
    ),
    Deed(
        "assign-level",
        gettext_lazy("Assign a level"),
        gettext_lazy(
            "The customer stands on this level from now on and does not fall below it while "
            "standing there. Whoever collects enough still rises."
        ),
        gettext_lazy("The level of %(customer)s is assigned."),
        "military_tech",
        "level.update",
        LevelForm,
        run_assignment,
    ),
    Deed(
        "remove-level",
        gettext_lazy("Remove the assigned level"),
        gettext_lazy("The customer goes to the level that was really collected."),
        gettext_lazy("%(customer)s stands on the collected level."),
        "undo",
        "level.destroy",
        ReasonForm,
        run_removal,
        has_assigned_level,
    ),
)
