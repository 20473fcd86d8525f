"""Why a message was not sent, in words for people; the keys stand in the table and in the API."""

from django.utils.translation import gettext_lazy as _

# Nothing was sent, because nothing should be.
SUPPRESSED = {
    "nobody": _("No customer signs in, or is reached, by what was typed."),
    "not_new": _("The customer was active or blocked when its turn came."),
    "not_active": _("The customer was not active when its turn came."),
    "no_target": _("The customer has no such contact point."),
    "erased": _("The customer was erased before its turn came."),
    "replaced": _("A newer one was asked for, or the code was used already."),
    "has_password": _("The customer chose a password before its turn came."),
    "number_limit": _("Enough was sent to this place today."),
    "daily_limit": _("The day's number of SMS is reached."),
    "country": _("SMS are not sent to this country."),
}
# It should have been sent, and was not.
FAILED = {
    "expired": _("It could not be sent before it became useless."),
    "bad_address": _("The provider does not accept the address."),
    "refused": _("The provider refused the message."),
    "set_up": _("The provider does not accept our credentials or set-up."),
    "busy": _("The provider asked us to wait."),
    "timeout": _("The provider did not answer in time."),
    "unreachable": _("The provider could not be reached."),
    "provider": _("The provider reported a fault of its own."),
}
REASONS = SUPPRESSED | FAILED
