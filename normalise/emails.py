"""E-mail addresses: the form that is stored and the form that is compared."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from email_validator import validate_email

from .text import OUTER_SPACE, clean_text

MAX_LENGTH = 254
_MAX_LOCAL_LENGTH = 64

# The shape of nearly every address in a shop's file: ASCII, dot-atom, a top-level domain of
# letters. Whatever this does not match, or a rule below it does not settle, the library decides.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+([A-Za-z]{{2,63}})")

# Top-level domains that can never receive mail from outside (RFC 6761, 6762, 7686). `.test`
# and example.com are for trying things out and pass.
_UNREACHABLE = frozenset(("arpa", "invalid", "local", "localhost", "onion"))


def clean_email(value):
    """Return the address to store: trimmed, NFC, domain in lower case, local part as typed.

    An international domain is kept in its readable form (`xn--mnchen-3ya.de` becomes
    `münchen.de`). Nothing is asked of the network. Refused: what is not an address by RFC 5321
    and 6531, quoted local parts, bracketed IP addresses, names in front ("Anna <a@b.c>"),
    domains without a dot, domains that no mail can reach (`.local`, `.invalid`), more than 254
    characters, or 64 before the @. Blank is refused too; a customer without an address has none.
    """
    if isinstance(value, str) and len(value) <= MAX_LENGTH:
        plain = _PLAIN.fullmatch(value)
        if plain and plain.group(1).lower() not in _UNREACHABLE:
            local, _at, domain = value.partition("@")
            # Two hyphens may be Punycode, which the library checks and makes readable.
            if len(local) <= _MAX_LOCAL_LENGTH and "--" not in domain:
                return f"{local}@{domain.lower()}"
    return _clean_by_library(value)


def email_key(value):
    """Return the form in which addresses are compared, and logins stored: all lower case.

    `lower` and not `casefold`, which would write `ß` as `ss` and so name another mailbox.
    """
    if value.isascii():
        return value.strip(" ").lower()
    return unicodedata.normalize("NFC", value.strip(OUTER_SPACE).lower())


def _clean_by_library(value):
    # Twice the limit, so that a long address is called too long as an address further down.
    text = clean_text(value, max_length=2 * MAX_LENGTH)
    if not text:
        raise ValidationError(_("An e-mail address may not be blank."), code="blank")
    if "@" not in text:
        raise ValidationError(_("An e-mail address has an @ sign."), code="invalid_email")
    if len(text) > MAX_LENGTH:
        raise ValidationError(
            _("An e-mail address may have at most %(max)d characters."),
            code="max_length",
            params={"max": MAX_LENGTH},
        )
    try:
        checked = validate_email(
            text,
            allow_smtputf8=True,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            strict=True,
            check_deliverability=False,
            test_environment=True,
        )
    except ValueError:
        # EmailNotValidError, or a Unicode error of the domain name rules below it.
        raise _invalid() from None
    if "." not in checked.domain:
        raise _invalid()
    # The library lowers the case of role mailboxes (Info@); the stored form is as typed.
    local = unicodedata.normalize("NFC", text.rpartition("@")[0])
    return f"{local}@{checked.domain}"


def _invalid():
    return ValidationError(
        _("Enter a valid e-mail address, such as anna@example.com."), code="invalid_email"
    )
