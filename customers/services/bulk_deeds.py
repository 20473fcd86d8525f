"""One deed for many customers: chosen, looked at, confirmed, done in the background, told.

Each customer is done in a transaction of its own with the row that counts it, so that a worker that
dies does nobody twice, and one who is refused stops no other.
"""

import uuid
from collections import Counter
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.hooks import BulkKind, hooks
from customers.models import BulkDeed, ChargeAccount, Customer, DataRequest
from customers.privacy import registry
from customers.services.changes import CustomerGone
from customers.services.erasure_receipts import anonymise_with_receipt
from customers.services.lifecycle import activate_customer, deactivate_customer
from events.actors import Actor, acting, current
from events.jobs import JobCancelled, LeaseLost, enqueue
from events.services import clean_reason
from tenancy import clock
from tenancy.scoping import current_tenant

State, Status = BulkDeed.State, Customer.Status
JOB = "customers.bulk_deed"
ANONYMISE = "anonymise"
MOST_TOLD = 1_000
# What the system derives or counts: it goes too, but tells a reader nothing.
DERIVED = {"id", "at", "created_at", "position", "digits", "reversed_digits", "search_text"}
DRAFT_KEPT = timedelta(days=1)


# --- What there is -----------------------------------------------------------------------------
def offer_bulk_deeds():
    """Add our deeds to the table; called once when the app is ready."""
    hooks.add_bulk_deed(
        BulkKind(
            "activate",
            gettext_lazy("Activate"),
            gettext_lazy("They can sign in, earn and be written to again."),
            "customers.activate",
            5_000,
            so_already=lambda customers, choice: customers.filter(status=Status.ACTIVE),
            perform=_switch(activate_customer, Status.ACTIVE),
            is_mild=True,
        )
    )
    hooks.add_bulk_deed(
        BulkKind(
            "deactivate",
            gettext_lazy("Deactivate"),
            gettext_lazy(
                "They cannot sign in or earn any more, and every session ends. Nothing is lost: "
                "activating brings everything back."
            ),
            "customers.deactivate",
            5_000,
            so_already=lambda customers, choice: customers.filter(status=Status.BLOCKED),
            perform=_switch(deactivate_customer, Status.BLOCKED),
        )
    )
    hooks.add_bulk_deed(
        BulkKind(
            ANONYMISE,
            gettext_lazy("Anonymise"),
            gettext_lazy(
                "Everything personal about them is erased for good; nameless rows stay for the "
                "totals. Each is done by itself: a refused one stops no other. It cannot be undone."
            ),
            "customers.anonymise",
            1_000,  # each is searched for afterwards in every table, see `_do`
        )
    )


def _switch(deed, wanted):
    def perform(customer, choice, reason):
        if customer.status == wanted:
            return False
        deed(customer, reason=reason)
        return True

    return perform


# --- Choosing ----------------------------------------------------------------------------------
def draft_bulk_deed(deed, customers):
    """Remember whom somebody chose for a deed; `customers` is a queryset. Nothing happens yet.

    Raises ValidationError (code "too_many") for more than the deed takes, and for nobody.
    """
    most = hooks.bulk_deeds[deed].most
    ids = list(customers.order_by("number", "pk").values_list("pk", flat=True)[: most + 1])
    if len(ids) > most:
        message = _("At most %(most)s at once. Narrow the list down.") % {"most": f"{most:,}"}
        raise ValidationError(message, code="too_many")
    if not ids:
        raise ValidationError(_("Nobody is chosen."), code="nobody")
    who = current().actor
    return BulkDeed.objects.create(
        tenant=current_tenant(),
        deed=deed,
        ids=b"".join(one.bytes for one in ids),
        n_total=len(ids),
        actor_kind=who.kind,
        actor_id=who.id,
        actor_label=who.label[:254],
    )


def choose_for_bulk_deed(bulk, values):
    """Settle what the deed needs beside the customers; answers the draft that holds it. One that
    was settled stays as somebody may have it before them: another choice is another draft.

    Raises ValidationError by field; code "bulk_state" when it was confirmed already.
    """
    choice = bulk.kind.clean_choice(values)
    with transaction.atomic():
        locked = BulkDeed.objects.select_for_update().get(pk=bulk.pk)
        if locked.state != State.DRAFT:
            raise ValidationError(_("It was confirmed already."), code="bulk_state")
        if locked.choice and locked.choice != choice:
            locked.pk, locked.created_at = uuid.uuid4(), clock.now()
            locked._state.adding = True
        locked.choice = choice
        locked.save()
    return locked


def preview_bulk_deed(bulk):
    """What the deed would do, from the data as it now is.

    Returns {"n_todo", "unchanged", "blocked", "warnings", "erased", "kept"}: how many customers it
    changes, how many are so already, sentences on those with whom it cannot be done, and on what to
    settle before. Of an anonymisation, `erased` is (part, rows, columns) and `kept` (what, rows,
    why), counted over all who would be anonymised.
    """
    ids = bulk.customer_ids
    found = Customer.objects.filter(pk__in=ids)
    shells = found.filter(anonymised_at__isnull=False).count()
    alive = found.filter(anonymised_at=None)
    n_gone = len(ids) - alive.count() - shells
    told = {"unchanged": 0, "warnings": [], "erased": [], "kept": []}
    if bulk.deed == ANONYMISE:
        told["unchanged"] = shells
        told["n_todo"] = alive.count()
        told["warnings"] = _warnings(alive)
        told |= _by_table(alive)
        told["blocked"] = list(_blocked(0, n_gone))
        return told
    obstacle = bulk.kind.obstacle(bulk.choice)
    if obstacle:
        return told | {"n_todo": 0, "blocked": [obstacle]}
    told["unchanged"] = bulk.kind.so_already(alive, bulk.choice).count()
    told["n_todo"] = alive.count() - told["unchanged"]
    told["blocked"] = list(_blocked(shells, n_gone))
    return told


def _blocked(n_shells, n_gone):
    if n_shells:
        yield ngettext(
            "%(n)s was anonymised: nothing can be changed any more.",
            "%(n)s were anonymised: nothing can be changed any more.",
            n_shells,
        ) % {"n": n_shells}
    if n_gone:
        yield ngettext(
            "%(n)s is no longer here: deleted, or merged into another record.",
            "%(n)s are no longer here: deleted, or merged into another record.",
            n_gone,
        ) % {"n": n_gone}


def _warnings(customers):
    """What should be settled before the records forget it, a sentence each."""
    balances = customers.filter(credit_balance__isnull=False).exclude(credit_balance=0).count()
    accounts = ChargeAccount.objects.filter(customer__in=customers.values("pk"), retired=False)
    asked = DataRequest.objects.about(customers.values_list("pk", flat=True)).to_answer()
    told = (
        (
            asked.filter(kind=DataRequest.Kind.ACCESS).count(),
            lambda n: ngettext(
                "%(n)s has asked for a copy of the data and was not answered yet.",
                "%(n)s have asked for a copy of their data and were not answered yet.",
                n,
            ),
        ),
        (
            balances,
            lambda n: ngettext(
                "%(n)s has an open credit balance; it will be forgotten.",
                "%(n)s have open credit balances; they will be forgotten.",
                n,
            ),
        ),
        (
            accounts.count(),
            lambda n: ngettext(
                "%(n)s has an open charge account; it will be closed and forgotten.",
                "%(n)s have open charge accounts; they will be closed and forgotten.",
                n,
            ),
        ),
        (
            customers.filter(kind=Customer.Kind.COMPANY).count(),
            lambda n: ngettext(
                "%(n)s is a company; the people named in it go with it.",
                "%(n)s are companies; the people named in them go with them.",
                n,
            ),
        ),
    )
    return [sentence(n) % {"n": n} for n, sentence in told if n]


def _by_table(customers):
    erased, kept = [], []
    for table in registry.about_customers():
        if table.owner is None:
            continue  # found by more than an id; told of a single customer
        rows = table.all_rows().filter(**{f"{table.owner}__in": customers.values("pk")})
        n_rows = rows.count()
        if not n_rows:
            continue
        part = table.model._meta.verbose_name
        personal = [line for line in table.lines.values() if line.personal == "customer"]
        goes = [line for line in personal if not line.action.keeps]
        if goes:
            names = [
                str(table.column(line.column).verbose_name)
                for line in goes
                if line.column not in DERIVED and not line.column.endswith("_key")
            ]
            erased.append((part, n_rows, names))
        for why in dict.fromkeys(line.why for line in personal if line.action.keeps):
            names = [
                str(table.column(line.column).verbose_name)
                for line in personal
                if line.action.keeps and line.why == why
            ]
            kept.append((f"{part}: {', '.join(names)}", n_rows, why))
    return {"erased": erased, "kept": kept}


def confirm_bulk_deed(bulk, *, typed, reason=""):
    """Have the deed done in the background. `typed` is the number of customers that it changes, as
    the preview says it.

    Raises ValidationError by field: another number (also when the data changed meanwhile), a reason
    that is too long; code "bulk_state" when it was confirmed already.
    """
    reason = clean_reason(reason)
    with transaction.atomic():
        locked = BulkDeed.objects.select_for_update().get(pk=bulk.pk)
        if locked.state != State.DRAFT:
            raise ValidationError(_("It was confirmed already."), code="bulk_state")
        if locked.lacks_choice:
            raise ValidationError(_("Choose first what is to be done."), code="bulk_state")
        wanted = preview_bulk_deed(locked)["n_todo"]
        if typed != wanted or not wanted:
            message = _("Type exactly: %(wanted)s") % {"wanted": wanted}
            raise ValidationError({"typed": ValidationError(message, code="invalid")})
        locked.state, locked.reason = State.WAITING, reason
        locked.job_id = enqueue(JOB, tenant=locked.tenant, bulk_id=str(locked.pk)).pk
        locked.save(update_fields=["state", "reason", "job_id"])
    bulk.refresh_from_db()


def cancel_bulk_deed(bulk):
    """End it before the next customer; whoever is done stays done. Raises ValidationError (code
    "bulk_state") when it has ended."""
    rows = BulkDeed.objects.filter(pk=bulk.pk, state__in=[State.WAITING, State.RUNNING])
    if not rows.update(cancel_requested=True):
        raise ValidationError(_("It has ended already."), code="bulk_state")
    bulk.refresh_from_db()


def forget_drafts():
    """Remove what was chosen more than a day ago and never confirmed; how many that were."""
    old = BulkDeed.objects.filter(state=State.DRAFT, created_at__lte=clock.now() - DRAFT_KEPT)
    return old.delete()[0]


# --- Doing -------------------------------------------------------------------------------------
def perform_bulk_deed(job, bulk_id):
    """What the background job does: one customer after the other, behind those that are done."""
    bulk = BulkDeed.objects.filter(pk=bulk_id, state__in=[State.WAITING, State.RUNNING]).first()
    if bulk is None:
        return
    BulkDeed.objects.filter(pk=bulk.pk).update(state=State.RUNNING)
    who = Actor(bulk.actor_kind, bulk.actor_id, bulk.actor_label)
    with acting(who, request_id=f"bulk {bulk.pk}", reason=bulk.reason):
        for customer_id in bulk.customer_ids[bulk.n_done :]:
            try:
                job.progress(bulk.n_done, bulk.n_total)
            except JobCancelled:
                _end(bulk, State.CANCELLED)
                raise
            if BulkDeed.objects.filter(pk=bulk.pk, cancel_requested=True).exists():
                _end(bulk, State.CANCELLED)
                return
            _do(bulk, customer_id)
    _end(bulk, State.DONE)


def _do(bulk, customer_id):
    """One customer, and the row that counts it."""
    if bulk.deed == ANONYMISE:
        # The erasure commits by itself, because the search that proves it comes afterwards; done
        # again, it changes nothing.
        _count(bulk, *_anonymised(customer_id, bulk.reason))
        return
    with transaction.atomic():
        _count(bulk, *_done(bulk, customer_id))


def _done(bulk, customer_id):
    customer = Customer.objects.filter(pk=customer_id).first()
    try:
        if customer is None:
            raise CustomerGone
        with transaction.atomic():
            changed = bulk.kind.perform(customer, bulk.choice, bulk.reason)
    except CustomerGone:
        return "refused", _refusal(customer_id, GONE)
    except ValidationError as error:
        return "refused", _refusal(customer_id, " ".join(error.messages))
    return "done" if changed else "unchanged", None


def _anonymised(customer_id, reason):
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        return "refused", _refusal(customer_id, GONE)
    if customer.anonymised_at is not None:
        return "unchanged", None
    receipt = anonymise_with_receipt(customer, reason)
    if receipt["error"] is not None:
        return "refused", _refusal(customer_id, " ".join(receipt["error"].messages))
    scan = receipt["scan"]
    told = {"id": str(customer_id), "outcome": "done", "scan": None}
    if scan is not None:
        left = [{name: hit[name] for name in ("table", "column", "count")} for hit in scan["left"]]
        told["scan"] = {"clean": scan["clean"], "searched": scan["searched"], "left": left}
    return "done", told


GONE = gettext_lazy("No longer here: deleted, or merged into another record.")


def _refusal(customer_id, message):
    return {"id": str(customer_id), "outcome": "refused", "message": str(message)}


def _count(bulk, outcome, told):
    before = bulk.n_done
    bulk.n_done += 1
    bulk.counts = dict(Counter(bulk.counts) + Counter({outcome: 1}))
    if told is not None and len(bulk.results) < MOST_TOLD:
        bulk.results = [*bulk.results, told]
    # Whoever was taken over by another worker meanwhile counts nobody a second time.
    mine = BulkDeed.objects.filter(pk=bulk.pk, n_done=before)
    if not mine.update(n_done=bulk.n_done, counts=bulk.counts, results=bulk.results):
        raise LeaseLost


def _end(bulk, state):
    # The reason may say something about a person; it stands in the histories, which erasure knows.
    rows = BulkDeed.objects.filter(pk=bulk.pk)
    rows.update(state=state, reason="", finished_at=clock.now())
