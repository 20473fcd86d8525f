"""The two pages that links in mails open: activate an account, choose a new password.

Opening a page uses nothing up, because mail scanners open links too; only its button does. The
token in the address is a secret that no other site knows, so it is also what tells a forged form
from a real one: no cookie is set, and the pages work in a mail program's own small browser.
"""

import secrets

from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from customers.services import WrongCode, activate_by_link, reset_password
from events.actors import Actor, acting
from tenancy.scoping import in_tenant
from tenancy.services.signing_in import tenant_by_code

TEXTS = {
    "en": {
        "activate_title": "Activate your account",
        "activate_text": "Press the button to activate your account with {business}.",
        "activate_button": "Activate my account",
        "activated_title": "Your account is active",
        "activated_text": "Welcome to {business}! You can sign in now and close this page.",
        "password_title": "Choose a new password",
        "password_text": "For your account with {business}.",
        "password_label": "New password",
        "repeat_label": "The same again",
        "password_button": "Save the new password",
        "saved_title": "Your new password is saved",
        "saved_text": "Sign in with it at {business}. You can close this page.",
        "mismatch": "The two passwords differ.",
        "wrong_title": "This link does not work any more",
        "wrong_text": "It was used already, has expired, or a newer one was sent. "
        "Ask {business} for a new one.",
    },
    "nb": {
        "activate_title": "Aktiver kontoen din",
        "activate_text": "Trykk på knappen for å aktivere kontoen din hos {business}.",
        "activate_button": "Aktiver kontoen min",
        "activated_title": "Kontoen din er aktiv",
        "activated_text": "Velkommen til {business}! Du kan logge inn nå og lukke denne siden.",
        "password_title": "Velg et nytt passord",
        "password_text": "For kontoen din hos {business}.",
        "password_label": "Nytt passord",
        "repeat_label": "Det samme en gang til",
        "password_button": "Lagre det nye passordet",
        "saved_title": "Det nye passordet er lagret",
        "saved_text": "Logg inn med det hos {business}. Du kan lukke denne siden.",
        "mismatch": "De to passordene er ulike.",
        "wrong_title": "Denne lenken virker ikke lenger",
        "wrong_text": "Den er brukt, utløpt eller erstattet av en nyere. Be {business} om en ny.",
    },
}


@method_decorator([csrf_exempt, never_cache], name="dispatch")
class LinkPage(View):
    """One page for one kind of link. Each page supplies `deed`, and what it asks for."""

    http_method_names = ["get", "head", "post"]
    texts = ()  # the names of its title, text and button
    done = ()  # title and text once it has happened
    asks_password = False

    def dispatch(self, request, tenant_code, token):
        """Open the tenant's scope, and let nothing about the address leave the page."""
        tenant = tenant_by_code(tenant_code)
        if tenant is None:
            raise Http404
        self.tenant = tenant
        self.words = TEXTS.get(tenant.setting("locale"), TEXTS["en"])
        self.nonce = secrets.token_urlsafe(16)
        with in_tenant(tenant), acting(Actor("customer"), request_id=request.request_id):
            response = super().dispatch(request, token)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        response["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'nonce-{self.nonce}'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        return response

    def get(self, request, token):
        """Show what the button would do."""
        return self.page(*self.texts)

    def post(self, request, token):
        """Do it, once."""
        try:
            self.deed(token)
        except WrongCode:
            return self.page("wrong_title", "wrong_text", status=400)
        except ValidationError as error:
            return self.page(*self.texts, errors=error.messages, status=400)
        return self.page(*self.done)

    def page(self, title, text, button=None, *, errors=(), status=200):
        """The page with these words; without a button there is nothing more to do."""
        words = {
            name: value.format(business=self.tenant.name) for name, value in self.words.items()
        }
        return render(
            self.request,
            "pages/link.html",
            {
                "language": self.tenant.setting("locale"),
                "business": self.tenant.name,
                "title": words[title],
                "text": words[text],
                "button": words.get(button),
                "asks_password": self.asks_password,
                "labels": words,
                "errors": errors,
                "nonce": self.nonce,
            },
            status=status,
        )


class ActivationPage(LinkPage):
    """Activates the account whose mail link was opened."""

    texts = ("activate_title", "activate_text", "activate_button")
    done = ("activated_title", "activated_text")

    def deed(self, token):
        activate_by_link(token)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class NewPasswordPage(LinkPage):
    """Sets a new password for the account whose mail link was opened."""

    texts = ("password_title", "password_text", "password_button")
    done = ("saved_title", "saved_text")
    asks_password = True

    def deed(self, token):
        password = self.request.POST.get("password", "")
        if password != self.request.POST.get("repeat", ""):
            raise ValidationError(self.words["mismatch"], code="mismatch")
        reset_password(token, password)
