"""What customers change about themselves, where a new sign-in has to be proven first."""

from django.core.exceptions import ValidationError
from django.db import transaction

from customers.services.lifecycle import request_login_change
from customers.services.updating import update_customer
from tenancy.services import count_or_refuse

LOGIN_CHANGES, DAY = 10, 24 * 3600


def count_login_wish(customer_id):
    """Count a customer's wish for another sign-in: each tells whether one is taken, and sends a
    message to wherever it likes. Ten a day; raises TooManyTries. Call it outside a transaction."""
    count_or_refuse("login-change", customer_id, limit=LOGIN_CHANGES, seconds=DAY)


def change_own_record(customer, *, logins=None, **changes):
    """Change what a customer may change at once, and send a code to every new sign-in of `logins`
    ({"login_email": …, "login_phone": …}), which counts once the code comes back.

    All of it or nothing. Raises what `update_customer` and `request_login_change` raise.
    """
    logins = {name: value for name, value in (logins or {}).items() if value}
    for _login in logins:
        count_login_wish(customer.pk)
    errors = {}
    with transaction.atomic():
        update_customer(customer, **changes)
        for name, value in logins.items():
            try:
                request_login_change(customer, **{name: value})
            except ValidationError as refusal:
                errors |= getattr(refusal, "error_dict", {name: refusal})
        if errors:
            raise ValidationError(errors)
    return customer
