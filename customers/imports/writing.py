"""One validated row becomes a registration, an update, or nothing: by the services, in the
transaction of its chunk."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from customers.hooks import hooks
from customers.models import ChargeAccount, Consent, Customer
from customers.profile import CHILD_LISTS
from customers.services.changes import CustomerGone, VersionConflict, open_change
from customers.services.commerce import set_charge_account
from customers.services.lifecycle import activate_customer, deactivate_customer
from customers.services.registering import register_customer
from customers.services.updating import update_customer
from tenancy.bulk import drafts_of
from tenancy.models import Store
from tenancy.services import take_customer_numbers

from . import together
from .images import image_of, proposal_of
from .matching import Index
from .merging import Changes, Known, changes_of
from .planning import REFUSE, REVIEW, SKIP, Plan
from .report import CREATED, SKIPPED, UNCHANGED, UPDATED
from .validating import Candidate, faults

# Where the numbers of a dry run start: far from every real one, and no counter is moved.
DRY_NUMBERS = 10**15
TRIES = 3
# Long, and no file says them.
NEVER_COMPARED = frozenset({"search_text", "password"})
_DEEDS = {
    Customer.Status.ACTIVE: "customer.activated",
    Customer.Status.BLOCKED: "customer.deactivated",
}
READ_LISTS = {**{name: child.model for name, child in CHILD_LISTS.items()}, "consents": Consent}


class Numbers:
    """Customer numbers, taken in blocks; what one chunk leaves over the next one uses."""

    def __init__(self, tenant: Any, *, dry_run: bool):
        self.tenant = tenant
        self.dry_run = dry_run
        self._stock: list[int] = []
        self._dry = DRY_NUMBERS

    def reserve(self, wanted: int) -> None:
        """Have at least `wanted` in stock."""
        missing = wanted - len(self._stock)
        if missing > 0:
            self._stock += self._take(missing)

    def next(self) -> int:
        """The next number; it stays in stock until it is `spent`."""
        self.reserve(1)
        return self._stock[0]

    def spent(self, n: int = 1) -> None:
        del self._stock[:n]

    def some(self, n: int) -> list[int]:
        """The next `n` numbers; they too stay in stock until they are `spent`."""
        self.reserve(n)
        return self._stock[:n]

    def _take(self, n: int) -> range:
        if self.dry_run:
            first, self._dry = self._dry, self._dry + n
        else:
            first = take_customer_numbers(self.tenant, n)
        return range(first, first + n)


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
        # The customer of the last outcome, and what it looked like before, where that is kept.
        self.customer_id: UUID | None = None
        self.before: dict[str, Any] | None = None
        # What staff are asked about, instead of its being written.
        self.review: dict[str, Any] | None = None
        # What the file says and the record does not, where that is kept.
        self.diff: dict[str, Any] | None = None
        self._known: dict[UUID, Known] = {}
        self._stores: dict[UUID, Store | None] = {}
        self._version = 0

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
        self._known = self._read(ids, candidates)

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

    def write(self, candidate: Candidate) -> str:
        """Do what the candidate asks for; returns the outcome. Raises ValidationError.

        Every deed has its own savepoint (a customer who is only looked at needs none), so that a
        refusal undoes this candidate alone.
        """
        self.customer_id = self.before = self.review = self.diff = None
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
        outcome = self._change(candidate, found[0])
        self.customer_id = found[0]
        self.index.remember(candidate, found[0])
        return outcome

    def faults(self, refusal: ValidationError, candidate: Candidate) -> list[dict[str, Any]]:
        """A refusal in the words of the file."""
        return faults(refusal, candidate.shaped, self.plan.mapping)

    def _create(self, candidate: Candidate) -> str:
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
        self.customer_id = customer.pk
        self.index.remember(candidate, customer.pk)
        return CREATED

    def _change(self, candidate: Candidate, customer_id: UUID) -> str:
        for attempt in range(TRIES):
            known = self._get(customer_id)
            if known.customer.anonymised_at:
                raise ValidationError(_("This customer was anonymised."), code="anonymised")
            changes = changes_of(candidate, known, self.plan)
            if not changes:
                return UNCHANGED
            if self.keeps_diffs:
                self.diff = proposal_of(known, changes)
            if self.plan.on_match == SKIP:
                return SKIPPED
            if self.plan.on_match == REVIEW:
                self.review = proposal_of(known, changes)
                return SKIPPED
            # What was read of it is out of date from here on, whatever happens.
            del self._known[customer_id]
            image = image_of(known, changes) if self.keeps_images else None
            try:
                outcome = self._apply(known.customer, changes)
                if image and outcome == UPDATED:
                    self.before = {**image, "version": self._version}
                return outcome
            except VersionConflict:
                if attempt == TRIES - 1:
                    message = _("Somebody else is changing this customer.")
                    raise ValidationError(message, code="conflict") from None
            except CustomerGone:
                message = _("This customer was deleted a moment ago.")
                raise ValidationError(message, code="gone") from None
        raise AssertionError("the last try returns or raises")

    def _apply(self, customer: Any, changes: Changes) -> str:
        before = customer.version
        # Opened at the version that the changes were worked out for: whoever came between them
        # and now loses nothing.
        deed = _DEEDS[changes.status] if changes.is_status_alone else "customer.updated"
        with open_change(customer.pk, deed=deed, expected_version=before) as change:
            change.customer.tenant = self.tenant
            if changes.profile or changes.consents:
                update_customer(change.customer, consents=changes.consents, **changes.profile)
            if changes.account:
                self._set_account(change.customer, changes.account)
            if changes.status == Customer.Status.ACTIVE:
                activate_customer(change.customer)
            elif changes.status == Customer.Status.BLOCKED:
                deactivate_customer(change.customer)
        self._version = change.customer.version
        return UNCHANGED if self._version == before else UPDATED

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
            self._known |= self._read({customer_id})
        if customer_id not in self._known:
            raise ValidationError(_("This customer was deleted a moment ago."), code="gone")
        return self._known[customer_id]

    def _read(self, ids: set[UUID], candidates: list[Candidate] | None = None) -> dict[UUID, Known]:
        """Customers with all that `changes_of` looks at, in one query per table; with `candidates`
        only what it looks at for these."""
        if not ids:
            return {}
        known = {}
        for customer in drafts_of(
            Customer.objects.filter(pk__in=ids), "birth_date", without=NEVER_COMPARED
        ):
            customer.tenant = self.tenant
            if customer.home_store_id is not None:
                customer.home_store = self._store(customer.home_store_id)
            known[customer.id] = Known(customer)
        every = candidates is None
        wanted = candidates or ()
        lists = {name for candidate in wanted for name in candidate.clean.children}
        if any(candidate.statements for candidate in wanted):
            lists.add("consents")
        for name in READ_LISTS if every else lists:
            for row in drafts_of(READ_LISTS[name].objects.filter(customer__in=ids).order_by()):
                known[row.customer_id].lists.setdefault(name, []).append(row)
        if every or any(candidate.account for candidate in wanted):
            for account in drafts_of(ChargeAccount.objects.filter(customer__in=ids)):
                known[account.customer_id].customer.charge_account = account
        former = Customer.with_merged.filter(merged_into__in=ids)
        for survivor_id, *values in former.values_list("merged_into", *Customer.FOLLOWED):
            held = zip(Customer.FOLLOWED, values, strict=True)
            known[survivor_id].former |= {(name, value) for name, value in held if value}
        if every or any(candidate.clean.extras for candidate in wanted):
            for hook in hooks.records:
                for customer_id, values in hook(list(known)).items():
                    known[customer_id].extras |= values
        return known

    def _store(self, store_id: UUID) -> Store | None:
        if store_id not in self._stores:
            self._stores[store_id] = Store.objects.filter(pk=store_id).first()
        return self._stores[store_id]

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
