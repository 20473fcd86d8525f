"""The forms of signing in and of the own password."""

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm

from tenancy.services.counting import TooManyTries
from tenancy.services.signing_in import authenticate_user
from tenancy.services.staff import set_user_password


def wait_in_words(seconds):
    """ "Too many tries" with the time to wait, for a person."""
    minutes = max(1, -(-seconds // 60))
    return ngettext(
        "Too many tries. Wait %(n)d minute and try again.",
        "Too many tries. Wait %(n)d minutes and try again.",
        minutes,
    ) % {"n": minutes}


class SignInForm(AuthenticationForm):
    """Sign-in by e-mail. It never says whether the e-mail or the password was wrong."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "This e-mail and password do not go together, or the account may not work here."
        ),
    }

    def __init__(self, request=None, *args, **kwargs):
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = _("E-mail")
        self.fields["username"].widget.attrs |= {"autocomplete": "username", "inputmode": "email"}

    def get_invalid_login_error(self):
        seconds = getattr(self.request, "sign_in_retry_after", None)
        if seconds is None:
            return super().get_invalid_login_error()
        return ValidationError(wait_in_words(seconds), code="too_many_tries")


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """A new password after the present one; every token of the person ends."""

    address = ""

    @classmethod
    def for_address(cls, address):
        """The form for a caller at this network address, whose tries are counted."""
        return type(cls.__name__, (cls,), {"address": address})

    def __init__(self, user, *args, **kwargs):
        super().__init__(user, *args, **kwargs)
        self.fields["new_password1"].help_text = password_validators_help_text_html()

    def clean_old_password(self):
        password = self.cleaned_data["old_password"]
        try:
            user = authenticate_user(self.user.email, password, address=self.address)
        except TooManyTries as error:
            raise forms.ValidationError(wait_in_words(error.retry_after)) from error
        if user is None:
            raise forms.ValidationError(_("This is not your password."), code="invalid")
        return password

    def save(self, commit=True):
        set_user_password(self.user, self.cleaned_data["new_password1"])
        return self.user
