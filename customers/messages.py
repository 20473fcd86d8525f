"""The messages that customers get about signing in: their words, and our texts in two languages.

Registered from `CustomersConfig.ready`. How each finds its customer and makes its secret when its
turn comes stands in `customers.services.messaging`.
"""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from customers.models import ActivationCode
from customers.services import messaging
from customers.services.codes import CODE_LIFE, LINK_LIFE
from events.messages import EMAIL, SMS, register_purpose

BUSINESS = {"business": "Example Ltd"}
LINK = BUSINESS | {
    "link": "https://crm.example.org/activate/example/3q2-7wEXAMPLEnotARealLinkAtAll0123456789xyz",
    "hours": str(int(LINK_LIFE / timedelta(hours=1))),
}
CODE = BUSINESS | {"code": "123456", "minutes": str(int(CODE_LIFE / timedelta(minutes=1)))}
# An own text of a tenant must name what the message is for.
NEEDS_LINK, NEEDS_CODE = ("link",), ("code",)
Purpose = ActivationCode.Purpose


def register():
    """Add the purposes; called once, when the app is ready."""
    register_purpose(
        Purpose.ACTIVATE_EMAIL.value,
        title=_("Activation link"),
        channels=(EMAIL,),
        words=LINK,
        required=NEEDS_LINK,
        life=LINK_LIFE,
        limited=True,
        readdresses=True,
        find_recipient=messaging.find_newcomer,
        make_words=messaging.make_link,
        texts={
            "en": {
                EMAIL: (
                    "Activate your account with {business}",
                    "Welcome to {business}!\n\nOpen this page to activate your account:\n{link}"
                    "\n\nThe link works for {hours} hours.",
                )
            },
            "nb": {
                EMAIL: (
                    "Aktiver kontoen din hos {business}",
                    "Velkommen til {business}!\n\nÅpne denne siden for å aktivere kontoen din:\n"
                    "{link}\n\nLenken virker i {hours} timer.",
                )
            },
        },
    )
    register_purpose(
        Purpose.ACTIVATE_SMS.value,
        title=_("Activation code"),
        channels=(SMS,),
        words=CODE,
        required=NEEDS_CODE,
        life=CODE_LIFE,
        limited=True,
        readdresses=True,
        find_recipient=messaging.find_newcomer,
        make_words=messaging.make_code,
        texts={
            "en": {
                SMS: "{business}: your activation code is {code}. It works for {minutes} minutes."
            },
            "nb": {
                SMS: "{business}: aktiveringskoden din er {code}. Den virker i {minutes} minutter."
            },
        },
    )
    register_purpose(
        Purpose.CHANGE_EMAIL.value,
        title=_("Code for a new sign-in e-mail"),
        channels=(EMAIL,),
        words=CODE,
        required=NEEDS_CODE,
        life=CODE_LIFE,
        limited=True,
        find_recipient=messaging.find_known_customer,
        make_words=messaging.make_code,
        texts={
            "en": {
                EMAIL: (
                    "Confirm your new e-mail address",
                    "{business}: your code is {code}. It works for {minutes} minutes.",
                )
            },
            "nb": {
                EMAIL: (
                    "Bekreft den nye e-postadressen din",
                    "{business}: koden din er {code}. Den virker i {minutes} minutter.",
                )
            },
        },
    )
    register_purpose(
        Purpose.CHANGE_PHONE.value,
        title=_("Code for a new sign-in phone"),
        channels=(SMS,),
        words=CODE,
        required=NEEDS_CODE,
        life=CODE_LIFE,
        limited=True,
        find_recipient=messaging.find_known_customer,
        make_words=messaging.make_code,
        texts={
            "en": {SMS: "{business}: your code is {code}. It works for {minutes} minutes."},
            "nb": {SMS: "{business}: koden din er {code}. Den virker i {minutes} minutter."},
        },
    )
    register_purpose(
        Purpose.RESET_PASSWORD.value,
        title=_("Link for a new password"),
        channels=(EMAIL,),
        words=LINK,
        required=NEEDS_LINK,
        life=LINK_LIFE,
        limited=True,
        readdresses=True,
        find_recipient=messaging.find_forgetful_customer,
        make_words=messaging.make_link,
        texts={
            "en": {
                EMAIL: (
                    "Choose a new password for {business}",
                    "Open this page to choose a new password:\n{link}\n\nThe link works for "
                    "{hours} hours. If you did not ask for it, nothing has changed.",
                )
            },
            "nb": {
                EMAIL: (
                    "Velg et nytt passord hos {business}",
                    "Åpne denne siden for å velge et nytt passord:\n{link}\n\nLenken virker i "
                    "{hours} timer. Hvis du ikke ba om den, er ingenting endret.",
                )
            },
        },
    )
    for name, title, make_words in (
        (messaging.TEMPORARY_PASSWORD, _("Temporary password"), messaging.make_password),
        (messaging.FIRST_PASSWORD, _("First password"), messaging.make_first_password),
    ):
        register_purpose(
            name,
            title=title,
            channels=(EMAIL, SMS),
            words=BUSINESS | {"password": "k7Rw2mPz9Xqd"},
            required=("password",),
            life=LINK_LIFE,
            limited=True,
            readdresses=True,
            find_recipient=messaging.find_known_customer,
            make_words=make_words,
            texts={
                "en": {
                    EMAIL: (
                        "Your password for {business}",
                        "You can sign in to {business} with this password:\n\n{password}\n\n"
                        "Choose one of your own as soon as you have signed in.",
                    ),
                    SMS: "{business}: your password is {password}. Choose one of your own as soon "
                    "as you have signed in.",
                },
                "nb": {
                    EMAIL: (
                        "Passordet ditt hos {business}",
                        "Du kan logge inn hos {business} med dette passordet:\n\n{password}\n\n"
                        "Velg et eget passord så snart du har logget inn.",
                    ),
                    SMS: "{business}: passordet ditt er {password}. Velg et eget så snart du har "
                    "logget inn.",
                },
            },
        )
