"""One validated row becomes a registration, an update, or nothing: by the services, in the
transaction of its chunk."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.services.changes import CustomerGone, VersionConflict, open_change
from customers.services.commerce import set_charge_account
from customers.services.lifecycle import activate_customer, deactivate_customer
from customers.services.registering import register_customer
from customers.services.updating import update_customer
from customers.services.updating_many import Update, update_customers

from . import together
from .images import image_of, proposal_of
from .knowing import Reader
from .matching import Index
from .merging import Changes, Known, changes_of
from .numbers import Numbers
from .planning import REFUSE, REVIEW, SKIP, Plan
from .report import CREATED, SKIPPED, UNCHANGED, UPDATED
from .validating import Candidate, faults

TRIES = 3
_DEEDS = {
    Customer.Status.ACTIVE: "customer.activated",
    Customer.Status.BLOCKED: "customer.deactivated",
}


@dataclass(slots=True)
class Settled:
    """What became of one candidate: the outcome, the customer, what a changed one looked like
    before (`images.image_of`) where a later undo may ask for it, and what the file would change
    about it: `review` where staff are to decide, `diff` where a dry run keeps it."""

    outcome: str
    customer_id: UUID | None = None
    before: dict[str, Any] | None = None
    review: dict[str, Any] | None = None
    diff: dict[str, Any] | None = None


class Writer:
    """Writes the candidates of one chunk after the other."""

    def __init__(
        self,
        plan: Plan,
        tenant: Any,
        numbers: Numbers,
        *,
        keeps_images: bool = False,
        keeps_diffs: bool = False,
    ):
        self.plan = plan
        self.keeps_images = keeps_images
        self.keeps_diffs = keeps_diffs
        self.tenant = tenant
        self.numbers = numbers
        self.index = Index(tenant, plan.match)
        self._known: dict[UUID, Known] = {}
        self._reader = Reader(tenant)

    def count_unknown(self, candidates: list[Candidate]) -> int:
        """How many of these are probably new; read before the transaction of the chunk."""
        if self.plan.adds_children:
            return 0
        index = Index(self.tenant, self.plan.match)
        index.load(candidates)
        return sum(not index.look_up(candidate) for candidate in candidates)

    def begin(self, candidates: list[Candidate]) -> None:
        """Look at the database anew, in the transaction that will write these candidates."""
        self.index = Index(self.tenant, self.plan.match)
        self.index.load(candidates)
        ids = {found for candidate in candidates for found in self.index.look_up(candidate)}
        self._known = self._reader.read(ids, candidates)

    def settle_together(self, candidates: list[Candidate]) -> dict[int, Settled]:
        """What can be done for many of the candidates in a few statements: {id(): what became of
        it}. Known customers of whom nothing is to be written are among them; all others go
        alone."""
        if len(candidates) < together.FEWEST:
            return {}
        settled: dict[int, Settled] = {}
        left, wanted = [], []
        for candidate, known in together.of_known(candidates, self.index, self._known):
            if known is None or self.plan.on_match == REFUSE:
                left.append(candidate)
                continue
            try:
                found = self._weigh(candidate, known)
            except ValidationError:
                left.append(candidate)
                continue
            if isinstance(found, Settled):
                settled[id(candidate)] = found
            else:
                wanted.append((candidate, known, found))
                left.append(candidate)
        new = self.register_together(left)
        settled |= {key: Settled(CREATED, customer_id) for key, customer_id in new.items()}
        return settled | self._change_together(left, wanted)

    def _change_together(self, left: list[Candidate], wanted: list[tuple]) -> dict[int, Settled]:
        chosen = together.choose_changes(left, wanted, self.index, self.plan.match)
        if len(chosen) < together.FEWEST:
            return {}
        updates = [
            Update(known.customer.id, known.customer.version, changes.profile, changes.consents)
            for _candidate, known, changes in chosen
        ]
        try:
            with transaction.atomic():
                versions = update_customers(updates)
        except (ValidationError, IntegrityError, DataError):
            return {}
        settled = {}
        for candidate, known, changes in chosen:
            customer_id = known.customer.id
            if customer_id in versions:
                del self._known[customer_id]
                self.index.remember(candidate, customer_id)
                settled[id(candidate)] = self._told(known, changes, versions[customer_id])
        return settled

    def _weigh(self, candidate: Candidate, known: Known) -> Settled | Changes:
        """What the file says of a known customer, or what became of it where nothing is to be
        written. Raises ValidationError."""
        customer = known.customer
        if customer.anonymised_at:
            raise ValidationError(_("This customer was anonymised."), code="anonymised")
        changes = changes_of(candidate, known, self.plan)
        if not changes:
            return Settled(UNCHANGED, customer.id)
        if self.plan.on_match not in (SKIP, REVIEW):
            return changes
        settled = Settled(SKIPPED, customer.id)
        if self.keeps_diffs:
            settled.diff = proposal_of(known, changes)
        if self.plan.on_match == REVIEW:
            settled.review = proposal_of(known, changes)
        return settled

    def register_together(self, candidates: list[Candidate]) -> dict[int, UUID]:
        """Register those of the candidates that can be registered in one go: {id(): customer id}.

        Where the database or a higher app refuses any of them, nobody is registered: each then
        goes alone, and whoever is to blame is found.
        """
        if self.plan.adds_children:
            return {}
        chosen = together.choose(candidates, self.index, self.plan.match)
        if len(chosen) < together.FEWEST:
            return {}
        try:
            with transaction.atomic():
                ids = together.register(chosen, self.index, self.numbers.some(len(chosen)))
        except (ValidationError, IntegrityError, DataError):
            return {}
        self.numbers.spent(len(chosen))
        for candidate, customer_id in zip(chosen, ids, strict=True):
            self.index.remember(candidate, customer_id)
        return {id(one): customer_id for one, customer_id in zip(chosen, ids, strict=True)}

    def write(self, candidate: Candidate) -> Settled:
        """Do what the candidate asks for; returns what became of it. Raises ValidationError.

        Every deed has its own savepoint (a customer who is only looked at needs none), so that a
        refusal undoes this candidate alone.
        """
        found = self.index.look_up(candidate)
        if found and self.plan.on_match == REFUSE:
            raise self._about_key(_("There is such a customer already."), "unique")
        if not found:
            try:
                return self._create(candidate)
            except ValidationError as refusal:
                # Perhaps the customer was registered a moment ago, not by an import.
                if "unique" not in _codes(refusal) or self.plan.on_match == REFUSE:
                    raise
                self.index.load([candidate])
                found = self.index.look_up(candidate)
                if not found:
                    raise
        if len(found) > 1:
            raise self._ambiguous(found)
        settled = self._change(candidate, found[0])
        self.index.remember(candidate, found[0])
        return settled

    def faults(self, refusal: ValidationError, candidate: Candidate) -> list[dict[str, Any]]:
        """A refusal in the words of the file."""
        return faults(refusal, candidate.shaped, self.plan.mapping)

    def _create(self, candidate: Candidate) -> Settled:
        key = self.index.key(candidate)
        if self.plan.adds_children:
            message = _("There is no such customer; import the customers first.")
            raise self._about_key(message, "does_not_exist")
        if self.plan.match == "number" and key is not None:
            message = _("There is no customer with this number; the system gives the numbers.")
            raise self._about_key(message, "does_not_exist")
        beside = candidate.beside
        number = self.numbers.next()
        has_account = any(value not in (None, "") for value in candidate.account.values())
        with transaction.atomic() if has_account else nullcontext():
            customer = register_customer(
                id=beside.get("id") or (self.index.content(candidate) if key is None else None),
                number=number,
                status=beside.get("status") or Customer.Status.ACTIVE,
                created_at=beside.get("created_at"),
                consents=candidate.statements,
                **candidate.profile,
            )
            if has_account:
                self._set_account(customer, candidate.account)
        self.numbers.spent()
        self.index.remember(candidate, customer.pk)
        return Settled(CREATED, customer.pk)

    def _change(self, candidate: Candidate, customer_id: UUID) -> Settled:
        for attempt in range(TRIES):
            known = self._get(customer_id)
            changes = self._weigh(candidate, known)
            if isinstance(changes, Settled):
                return changes
            # What was read of it is out of date from here on, whatever happens.
            del self._known[customer_id]
            try:
                return self._told(known, changes, self._apply(known.customer, changes))
            except VersionConflict:
                if attempt == TRIES - 1:
                    message = _("Somebody else is changing this customer.")
                    raise ValidationError(message, code="conflict") from None
            except CustomerGone:
                message = _("This customer was deleted a moment ago.")
                raise ValidationError(message, code="gone") from None
        raise AssertionError("the last try returns or raises")

    def _told(self, known: Known, changes: Changes, version: int) -> Settled:
        """What became of a customer who now is at this version, by what was known of it before."""
        outcome = UNCHANGED if version == known.customer.version else UPDATED
        settled = Settled(outcome, known.customer.id)
        if outcome == UPDATED and self.keeps_images:
            settled.before = {**image_of(known, changes), "version": version}
        if self.keeps_diffs:
            settled.diff = proposal_of(known, changes)
        return settled

    def _apply(self, customer: Any, changes: Changes) -> int:
        # Opened at the version that the changes were worked out for: whoever came between them
        # and now loses nothing.
        deed = _DEEDS[changes.status] if changes.is_status_alone else "customer.updated"
        with open_change(customer.pk, deed=deed, expected_version=customer.version) as change:
            change.customer.tenant = self.tenant
            if changes.profile or changes.consents:
                update_customer(change.customer, consents=changes.consents, **changes.profile)
            if changes.account:
                self._set_account(change.customer, changes.account)
            if changes.status == Customer.Status.ACTIVE:
                activate_customer(change.customer)
            elif changes.status == Customer.Status.BLOCKED:
                deactivate_customer(change.customer)
        return change.customer.version

    @staticmethod
    def _set_account(customer: Customer, values: dict[str, Any]) -> None:
        try:
            set_charge_account(customer, **values)
        except ValidationError as refusal:
            raise ValidationError(
                {f"charge_account_{name}": errors for name, errors in refusal.error_dict.items()}
            ) from refusal

    def _get(self, customer_id: UUID) -> Known:
        if customer_id not in self._known:
            # Whole: other rows of the file may ask about the same customer.
            self._known |= self._reader.read({customer_id})
        if customer_id not in self._known:
            raise ValidationError(_("This customer was deleted a moment ago."), code="gone")
        return self._known[customer_id]

    def _ambiguous(self, ids: list[UUID]) -> ValidationError:
        rows = Customer.objects.filter(pk__in=ids).order_by("number")
        codes = ", ".join(customer.code for customer in rows.only("number"))
        message = _("Several customers have this: %(codes)s.") % {"codes": codes}
        return self._about_key(message, "ambiguous")

    def _about_key(self, message: Any, code: str) -> ValidationError:
        name = {"email": "emails.0.address", "phone": "phones.0.given"}.get(
            self.plan.match, self.plan.match
        )
        error = ValidationError(message, code=code)
        return ValidationError({name: error} if name else error)


def _codes(refusal: ValidationError) -> set[str]:
    found = getattr(refusal, "error_dict", {}).values()
    return {error.code for errors in found for error in errors}
