"""An anonymisation with its proof: what was done, and what a search for the old values finds."""

from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.utils.translation import gettext as _

from customers.services.changes import CustomerGone
from customers.services.data_requests import keep_scan
from customers.services.erasure import anonymise_customer
from customers.services.scanning import personal_values, scan_for


def anonymise_with_receipt(customer, reason=""):
    """Anonymise one customer and search for what should be gone.

    Returns {"id", "error", "scan"}: `error` is None or the refusal, `scan` the report of the
    search, None where it took too long. The receipt names the customer by id only. The requests
    for erasure that this answers keep what the search found.
    """
    receipt = {"id": customer.pk, "error": None, "scan": None}
    values = personal_values(customer)
    try:
        anonymise_customer(customer, reason=reason)
    except CustomerGone:
        receipt["error"] = ValidationError(_("This customer was deleted meanwhile."))
    except ValidationError as error:
        receipt["error"] = error
    if receipt["error"] is None:
        try:
            receipt["scan"] = scan_for(customer.pk, values)
        except DatabaseError:  # the erasure is committed; only the search ran out of time
            receipt["scan"] = None
        else:
            keep_scan(customer.pk, receipt["scan"])
    return receipt
