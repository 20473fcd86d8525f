"""What staff do with customers, beside editing: one page per deed, and the same for many.

Each deed is one line of the table. Its page says the effect in a sentence before anything
happens; for many customers each is its own deed with its own result.
"""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from customers.admin.bulk_deeds import ManyActions
from customers.admin.deed import Deed, ReasonForm
from customers.admin.erasing import ErasurePages
from customers.admin.loyalty_deeds import LOYALTY_DEEDS
from customers.admin.once import token_of
from customers.models import Consent, Customer
from customers.services import (
    CustomerGone,
    activate_customer,
    deactivate_customer,
    record_consent,
    send_activation,
    send_temporary_password,
    set_customer_password,
)
from loyalty.services import Repeated
from tenancy.admin.signing_in import wait_in_words
from tenancy.services.counting import TooManyTries

MANY = 500


class CodeForm(forms.Form):
    method = forms.ChoiceField(
        label=gettext_lazy("Way"),
        choices=[
            ("email", gettext_lazy("A link by e-mail")),
            ("sms", gettext_lazy("A code by SMS")),
        ],
        widget=UnfoldAdminSelectWidget,
    )


class PasswordWayForm(CodeForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["method"].choices = [("email", _("By e-mail")), ("sms", _("By SMS"))]


class PasswordForm(ReasonForm):
    password = forms.CharField(
        label=gettext_lazy("New password"),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    field_order = ("password", "reason")


class DeactivateForm(ReasonForm):
    """The reasons that are most often given are offered; others may be typed."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].widget.attrs["list"] = "reasons"
        self.suggestions = {
            "reasons": (
                _("Asked for it"),
                _("Moved away"),
                _("Card lost or misused"),
                _("Unpaid invoices"),
                _("Registered by mistake"),
            )
        }


class ConsentForm(ReasonForm):
    purpose = forms.CharField(
        label=gettext_lazy("Purpose"),
        max_length=40,
        initial=Consent.MARKETING,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "purposes"}),
        help_text=gettext_lazy("marketing, data_processing, legal, or a name of your own."),
    )
    granted = forms.ChoiceField(
        label=gettext_lazy("The customer"),
        choices=[("", "—"), ("yes", gettext_lazy("agrees")), ("no", gettext_lazy("withdraws"))],
        widget=UnfoldAdminSelectWidget,
    )
    source = forms.CharField(
        label=gettext_lazy("Where it was said"),
        required=False,
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("On the phone, on paper, at the till."),
    )
    wording_version = forms.CharField(
        label=gettext_lazy("Wording"),
        required=False,
        max_length=40,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Which version of the wording was read."),
    )
    field_order = ("purpose", "granted", "source", "wording_version", "reason")
    # What the page offers while somebody types: the list named by the field's widget.
    suggestions = {"purposes": (Consent.MARKETING, Consent.DATA_PROCESSING, Consent.LEGAL)}


def _run_consent(customer, values):
    record_consent(
        customer,
        purpose=values["purpose"],
        granted=values["granted"] == "yes",
        source=values["source"],
        wording_version=values["wording_version"],
        reason=values["reason"],
    )


def _run_code(customer, values):
    method = values["method"] or customer.tenant.setting("activation_method")
    if method not in ("email", "sms"):
        # Many at once in a tenant that has no way of its own: each by what there is.
        method = "email" if customer.login_email or customer.emails.exists() else "sms"
    send_activation(customer, method=method)


Status = Customer.Status
DEEDS = {
    deed.name: deed
    for deed in (
        Deed(
            "consent",
            gettext_lazy("Record a consent"),
            gettext_lazy(
                "A statement is added to the record with your name and the time. Earlier "
                "statements stay; the newest of a purpose counts."
            ),
            gettext_lazy("The statement is recorded."),
            "fact_check",
            "consents.create",
            ConsentForm,
            _run_consent,
        ),
        Deed(
            "activate",
            gettext_lazy("Activate"),
            gettext_lazy("The customer can sign in, earn and be written to again."),
            gettext_lazy("%(customer)s is active."),
            "check_circle",
            "customers.activate",
            ReasonForm,
            lambda customer, values: activate_customer(customer, reason=values["reason"]),
            lambda customer: customer.status != Status.ACTIVE,
        ),
        Deed(
            "deactivate",
            gettext_lazy("Deactivate"),
            gettext_lazy(
                "The customer cannot sign in or earn any more, and every session ends. Nothing "
                "is lost: activating brings everything back."
            ),
            gettext_lazy("%(customer)s is deactivated."),
            "block",
            "customers.deactivate",
            DeactivateForm,
            lambda customer, values: deactivate_customer(customer, reason=values["reason"]),
            lambda customer: customer.status != Status.BLOCKED,
        ),
        Deed(
            "send-code",
            gettext_lazy("Send activation"),
            gettext_lazy(
                "The customer gets a link by e-mail or a code by SMS and becomes active by using "
                "it. One sent earlier stops working."
            ),
            gettext_lazy("The activation for %(customer)s is on its way."),
            "outgoing_mail",
            "customers.send_code",
            CodeForm,
            _run_code,
            lambda customer: customer.status == Status.NEW,
        ),
        Deed(
            "send-password",
            gettext_lazy("Send a new password"),
            gettext_lazy(
                "The customer gets a password that we make up, which replaces the present one when "
                "it is sent, and is asked for an own one after signing in. Every session ends."
            ),
            gettext_lazy("A new password for %(customer)s is on its way."),
            "password",
            "customers.send_password",
            PasswordWayForm,
            lambda customer, values: send_temporary_password(customer, method=values["method"]),
            lambda customer: customer.status == Status.ACTIVE,
        ),
        Deed(
            "password",
            gettext_lazy("Set a password"),
            gettext_lazy("The customer signs in with it from now on; every session ends."),
            gettext_lazy("The password of %(customer)s is set."),
            "key",
            "customers.set_password",
            PasswordForm,
            lambda customer, values: set_customer_password(
                customer, values["password"], reason=values["reason"]
            ),
        ),
        *LOYALTY_DEEDS,
    )
}


class DeedPages(ManyActions, ErasurePages):
    """The deeds as pages of the customer admin and as actions on its list."""

    actions = ("send_code_many", "merge_two")

    def get_urls(self):
        return [
            *(
                self.own_path(f"<path:object_id>/{deed.name}/", self._view_of(deed), deed.name)
                for deed in DEEDS.values()
            ),
            *super().get_urls(),
        ]

    def _view_of(self, deed):
        def view(request, object_id):
            return self.deed_view(request, object_id, deed)

        return view

    def deed_view(self, request, object_id, deed):
        """Say what will happen; on POST let it happen."""
        customer = self.get_or_404(request, object_id)
        self.insist(request, deed.operation)
        back = reverse("admin:customers_customer_change", args=[customer.pk])
        form = deed.form(request.POST if request.method == "POST" else None)
        form_token = token_of(request.POST)
        if request.method == "POST" and form.is_valid() and not customer.anonymised_at:
            values = {**form.cleaned_data, "role": self.role(request), "form_token": form_token}
            try:
                refusal = attempt(deed, customer, values)
            except Repeated:
                messages.info(request, _("This form was sent before. It counts once."))
                return redirect(back)
            if refusal is None:
                messages.success(request, deed.done % {"customer": customer})
                return redirect(back)
            put_beside(form, refusal)
        blocked = ""
        if customer.anonymised_at:
            blocked = _("This customer was anonymised; nothing can be changed any more.")
        elif not deed.fits(customer):
            blocked = _("Not now: the customer's status is “%(status)s”.") % {
                "status": customer.get_status_display()
            }
        context = {
            "title": f"{customer.code}: {deed.title}",
            "sentence": deed.sentence,
            "form": form,
            "form_token": form_token,
            "button": deed.title,
            "danger": deed.danger,
            "blocked": blocked,
            "cancel_url": back,
        }
        return self.page(request, "admin/deed.html", context, obj=customer)

    def deed_navigation(self, request, customer):
        """The buttons above the page: what fits the customer and the role, mildest first."""
        more = []
        if customer.anonymised_at is None:
            more = [
                self._button(customer, deed.name, deed.title, deed.icon)
                for deed in DEEDS.values()
                if deed not in LOYALTY_DEEDS
                and deed.fits(customer)
                and request.user.has_perm(deed.operation)
            ]
        if request.user.has_perm("events.view_message"):
            log = reverse("admin:events_message_changelist")
            more.append(
                {
                    "title": _("Messages"),
                    "icon": "mail",
                    "variant": ActionVariant.DEFAULT,
                    "path": f"{log}?customer={customer.pk}",
                }
            )
        more += self.erasure_navigation(request, customer)
        if not more:
            return []
        return [
            {
                "title": _("Actions"),
                "icon": "bolt",
                "variant": ActionVariant.DEFAULT,
                "method_name": "deeds",
                "items": more,
            }
        ]

    def _button(self, customer, name, title, icon, variant=ActionVariant.DEFAULT):
        return {
            "title": title,
            "icon": icon,
            "variant": variant,
            "path": reverse(self.url_name(name), args=[customer.pk]),
        }

    # --- Many at once -------------------------------------------------------------------------
    def get_actions(self, request):
        actions = super().get_actions(request)
        needed = {"send_code_many": "customers.send_code", "merge_two": "customers.merge"}
        return {
            name: action
            for name, action in actions.items()
            if name not in needed or request.user.has_perm(needed[name])
        }

    @admin.action(description=gettext_lazy("Send activation"))
    def send_code_many(self, request, queryset):
        self.do_to_many(request, queryset, DEEDS["send-code"], {"method": None})

    def do_to_many(self, request, queryset, deed, values):
        """Each customer by itself; the report says how many, and which were refused and why."""
        self.insist(request, deed.operation)
        done, refused = 0, []
        for customer in queryset.order_by("number")[:MANY]:
            refusal = attempt(deed, customer, dict(values))
            if refusal is None:
                done += 1
            else:
                refused.append(f"{customer.code}: {' '.join(refusal.messages)}")
        if done:
            sentence = ngettext(
                "%(title)s: done for %(n)d customer.", "%(title)s: done for %(n)d customers.", done
            )
            messages.success(request, sentence % {"title": deed.title, "n": done})
        if refused:
            sentence = ngettext(
                "%(title)s: refused for %(n)d customer. %(which)s",
                "%(title)s: refused for %(n)d customers. %(which)s",
                len(refused),
            )
            words = {"title": deed.title, "n": len(refused), "which": "; ".join(refused[:20])}
            messages.error(request, sentence % words)


def attempt(deed, customer, values):
    """Do it; answers None, or the refusal as a ValidationError."""
    try:
        if customer.anonymised_at:
            return ValidationError(_("This customer was anonymised."), code="anonymised")
        deed.run(customer, values)
    except ValidationError as error:
        return error
    except CustomerGone:
        return ValidationError(_("This customer was deleted meanwhile."), code="gone")
    except TooManyTries as error:
        return ValidationError(wait_in_words(error.retry_after), code="too_many_tries")
    return None


def put_beside(form, error):
    """A service's refusal beside the fields of a small form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for path, errors in error.error_dict.items():
        name = path.rpartition(".")[2]
        form.add_error(name if name in form.fields else None, errors)
