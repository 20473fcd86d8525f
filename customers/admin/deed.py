"""One deed of staff, as a line of a table, and the form that most of them have."""

from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Optional; stands in the history."),
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """One deed: its words, the operation that must be allowed, and the service call."""

    name: str
    title: str
    sentence: str
    done: str
    icon: str
    operation: str
    form: type
    run: object  # (customer, values) -> None; may raise ValidationError or TooManyTries
    fits: object = lambda customer: True
    danger: bool = False
