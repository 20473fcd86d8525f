"""How many messages go to one place, and how many SMS a business may cause: each costs money.

Counted before anything is sent, by one conditional UPDATE, so that parallel requests cannot pass.
"""

from functools import lru_cache

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from events.messages.purposes import SMS
from tenancy.services.counting import TooManyTries, count_or_refuse

DAY = 24 * 3600
MESSAGES_PER_TARGET_AND_DAY = 5


class DayIsFull(TooManyTries):
    """The business has sent its number of SMS for today."""


def count_message(tenant, *, channel, to, limited):
    """Count one message to `to`. Call it outside a transaction: the count must stay.

    SMS, and mails of `limited` purposes, go five times a day to one place; SMS only to the
    countries of the tenant's `sms_countries`, where it names any, and as often a day as
    `sms_per_day` and SMS_PER_TENANT_AND_DAY allow. Raises TooManyTries (DayIsFull for the last), or
    ValidationError (code "country").
    """
    if channel == SMS:
        _refuse_country(tenant, to)
    if channel == SMS or limited:
        count_or_refuse(
            "message", f"{tenant.pk}:{to}", limit=MESSAGES_PER_TARGET_AND_DAY, seconds=DAY
        )
    if channel == SMS:
        limit = min(tenant.setting("sms_per_day"), settings.SMS_PER_TENANT_AND_DAY)
        try:
            count_or_refuse("sms-tenant", tenant.pk, limit=limit, seconds=DAY)
        except TooManyTries as refusal:
            raise DayIsFull(refusal.retry_after) from refusal


def _refuse_country(tenant, number):
    allowed = tenant.setting("sms_countries")
    if allowed and not set(countries_of(number)) & set(allowed.split(",")):
        raise ValidationError(_("SMS are not sent to this country."), code="country")


@lru_cache(maxsize=10_000)
def countries_of(number):
    """The countries (alpha-2) that an E.164 number may belong to: +1 and +44 are shared, and only
    the rest of the number says whose it is. () for what is no number."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ()
    country = phonenumbers.region_code_for_number(parsed)
    if country:
        return (country,)
    return phonenumbers.region_codes_for_country_code(parsed.country_code)
