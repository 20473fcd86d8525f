"""An anonymisation with its proof: what was done, and what a search for the old values finds.

The person's own rows are searched at once. All the rest (the rows of others, every file) is whole
tables and takes minutes where there are many customers: a job searches it, once. What it has to
look for is sealed meanwhile, and goes when it is through.
"""

import json
import re
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from customers.models import Erasure
from customers.privacy import registry
from customers.services.changes import CustomerGone
from customers.services.data_requests import keep_scan
from customers.services.erasure import anonymise_customer
from customers.services.scanning import (
    hits_in_files,
    long_enough,
    personal_values,
    scan_own_rows,
)
from customers.services.scanning_elsewhere import hits_elsewhere, text_columns
from events.jobs import enqueue
from tenancy import clock
from tenancy.sealing import Unreadable, seal, unseal

JOB = "customers.search_erased"
# After whatever people wait for.
PRIORITY = -50
KEPT = timedelta(days=7)
FILES = "files"
Search = Erasure.Search


# --- The deed ------------------------------------------------------------------------------------
def anonymise_with_receipt(customer, reason=""):
    """Anonymise one customer, search its rows for what should be gone, order the search elsewhere.

    Returns {"id", "error", "scan"}: `error` is None or the refusal, `scan` what was found in the
    customer's own rows, None where that took too long. The receipt names the customer by id only,
    and stays readable (`receipt_of`); the requests for erasure that this answers keep `scan`, too.
    """
    receipt = {"id": customer.pk, "error": None, "scan": None}
    try:
        erasure, values = anonymise_and_search(customer, reason=reason)
    except CustomerGone:
        receipt["error"] = ValidationError(_("This customer was deleted meanwhile."))
    except ValidationError as error:
        receipt["error"] = error
    else:
        try:
            scan = scan_own_rows(customer.pk, values)
        except DatabaseError:  # the erasure is committed; only the search ran out of time
            return receipt
        receipt["scan"] = scan
        Erasure.objects.filter(pk=erasure.pk, scan__isnull=True).update(scan=_told(scan))
        keep_scan(customer.pk, scan)
    return receipt


def anonymise_and_search(customer, *, reason=""):
    """Anonymise one customer and have everything searched for what should be gone, in one
    transaction; the Erasure, and the values. Raises what `anonymise_customer` does."""
    with transaction.atomic():
        values = personal_values(customer)
        anonymise_customer(customer, reason=reason)
        erasure = _newest(customer.pk)
        if values:
            _order_search(erasure, values)
    return erasure, values


def _newest(customer_id):
    done = Erasure.objects.filter(customer_id=customer_id, scope=Erasure.Scope.ANONYMISE)
    return done.order_by("-at", "-id").first()


def _order_search(erasure, values):
    """Have everything searched for these values; not a second time for one erasure."""
    sealed = seal(json.dumps(values).encode(), _about(erasure))
    ordered = Erasure.objects.filter(pk=erasure.pk, search_state=Search.NONE)
    if ordered.update(search_state=Search.WAITING, sealed=sealed):
        enqueue(JOB, tenant=erasure.tenant, priority=PRIORITY, erasure_id=str(erasure.pk))


def _about(erasure):
    return f"erasure {erasure.pk}"


def _told(scan):
    """What is kept of a search: how much was searched, and where something stands; no row's key."""
    told = {name: _places(scan[name]) for name in ("left", "elsewhere") if name in scan}
    return {"clean": not scan["left"], "searched": scan["searched"], **told}


def _places(hits):
    # A job remembers codes only; a file may have been called anything.
    return [
        {
            "table": hit["table"],
            "column": re.sub(r"[^A-Za-z0-9_.-]", "_", hit["column"])[-100:],
            "count": hit["count"],
        }
        for hit in hits
    ]


# --- The search elsewhere ------------------------------------------------------------------------
def search_after_erasure(run, erasure_id):
    """What the background job does: search table after table, and remember behind each. Once: cut
    off, it goes on behind the last table; done, it has nothing more to look for."""
    waiting = Erasure.objects.filter(pk=erasure_id, search_state=Search.WAITING)
    erasure = waiting.first()
    if erasure is None:
        return
    try:
        values = long_enough(json.loads(unseal(erasure.sealed, _about(erasure))))
    except Unreadable:  # the secrets of this installation were changed
        waiting.update(search_state=Search.GIVEN_UP, sealed=None)
        return
    found = run.data or {"done": [], "left": [], "elsewhere": [], "searched": 0}
    places = [*registry.tables, FILES]
    for number, place in enumerate(places):
        if place in found["done"]:
            continue

        def alive(_so_far, number=number):
            run.progress(number, len(places))

        found = _searched(place, erasure.customer_id, values, found, alive)
        run.checkpoint(found)
        alive(0)
    # Once more the rows of the customer: somebody may have written to them meanwhile.
    own = scan_own_rows(erasure.customer_id, values)
    found = {**found, "left": [*_places(own["left"]), *found["left"]]}
    with transaction.atomic():
        waiting.filter(scan__isnull=True).update(scan=_told(own))
        waiting.update(
            search_state=Search.DONE, search=_told(found), searched_at=clock.now(), sealed=None
        )
        run.checkpoint({"done": places})


def _searched(place, customer_id, values, found, alive):
    """What was found so far, and in one more place."""
    if place == FILES:
        hits, n_searched = hits_in_files(values, on_file=alive)
        more = {"left": [*found["left"], *_places(hits)]}
    else:
        table = registry.tables[place]
        hits = hits_elsewhere(table, customer_id, values, on_stretch=alive)
        n_searched = len(text_columns(table))
        more = {"elsewhere": [*found["elsewhere"], *_places(hits)]}
    searched = found["searched"] + n_searched
    return {**found, **more, "searched": searched, "done": [*found["done"], place]}


def forget_searches():
    """Drop what was to be searched for where nobody has for a week; how many searches that were."""
    late = Erasure.objects.filter(search_state=Search.WAITING, at__lte=clock.now() - KEPT)
    return late.update(search_state=Search.GIVEN_UP, sealed=None)


# --- Telling -------------------------------------------------------------------------------------
def receipt_of(customer_id):
    """The Erasure that anonymised a customer, None for one that was not; its `scan`, `search_state`
    and `search` are the receipt."""
    return receipts_of([customer_id]).get(customer_id)


def receipts_of(customer_ids):
    """{customer id: Erasure}, of those of these customers who were anonymised: the newest."""
    done = Erasure.objects.filter(
        customer_id__in=list(customer_ids), scope=Erasure.Scope.ANONYMISE
    ).defer("sealed")
    return {one.customer_id: one for one in done.order_by("at", "id")}
