"""What every dialect owes its clients, as tests that a dialect's own test class inherits.

A dialect's class supplies what stands under "Each dialect supplies"; the rest is shared. A helper
that sends something returns Django's answer; `wire(token)` makes whatever they send it with.
"""

import uuid

import pytest

from customers.records import record_of
from events.models import HistoryEntry
from events.models.records import READS
from tenancy.scoping import in_tenant
from tenancy.services import update_tenant
from tests.factories import make_token

SIZES = 2
PEOPLE = 5


@pytest.mark.django_db
class DialectContract:
    """The shared tests."""

    # --- Each dialect supplies
    # The Dialect itself.
    dialect = None

    def wire(self, tenant, token):
        """A client that speaks for the holder of `token` (None: nobody)."""
        raise NotImplementedError

    def register(self, wire, **named):
        """Register somebody; `named` are our names: first_name and those of `unique`, `sample` and
        `wrong`."""
        raise NotImplementedError

    def read(self, wire, key):
        raise NotImplementedError

    def read_with_slash(self, wire, key):
        """The same with a slash at the end of the path."""
        return self.read(wire, f"{key}/")

    def is_missing(self, answer):
        """Whether a reading answers that there is no such customer."""
        return self.refuses(answer, 404)

    def key_of(self, answer):
        """The key that a registration answers and `read` takes."""
        raise NotImplementedError

    def missing_key(self):
        """A key that nobody has."""
        return str(uuid.uuid4())

    def pages(self, wire, size):
        """All pages of the list, each a list of keys."""
        raise NotImplementedError

    def told(self, answer):
        """What an answer says of a customer, by our names, as far as a registration named it."""
        raise NotImplementedError

    def refuses(self, answer, status, field=None):
        """Whether the answer refuses with the vendor's own envelope; `field` is their name of what
        is wrong."""
        raise NotImplementedError

    # A path below the mount that nobody serves, one that serves no PATCH.
    nowhere = closed_to_patch = None
    # The unique field that a registration may name, and their name of it.
    unique = ("card_number", None)
    # What a registration may say and a reading says again.
    sample = {"first_name": "Ada", "last_name": "Byron", "birth_date": "1985-12-10"}
    # A field, a value that it cannot have, and their name of it.
    wrong = ("birth_date", "the day before yesterday", None)

    # --- Shared
    @pytest.fixture
    def admin(self, tenant):
        return self.wire(tenant, make_token(tenant))

    def test_creates_what_it_reads_back(self, admin):
        answer = self.register(admin, **self.sample)

        told = self.told(self.read(admin, self.key_of(answer)))
        assert {name: told[name] for name in self.sample} == self.sample

    def test_writes_down_who_read_whom_where_the_tenant_asks_for_it(self, tenant, admin):
        key = self.key_of(self.register(admin, first_name="Ada"))
        self.read(admin, key)
        update_tenant(tenant, settings={"log_reads": True})

        answer = self.read(self.wire(tenant, make_token(tenant)), key)

        assert answer.status_code == 200
        with in_tenant(tenant):
            (look,) = HistoryEntry.objects.shown(READS)
            assert look.changes["way"] == [None, self.dialect.name]
            assert (look.actor_kind, look.actor_id is None) == ("staff", False)

    def test_refuses_a_duplicate_by_the_name_of_the_field(self, admin):
        ours, theirs = self.unique
        self.register(admin, **{ours: "7001"})

        again = self.register(admin, **{ours: "7001"})

        assert self.refuses(again, again.status_code, theirs)
        assert again.status_code in (400, 409)

    def test_names_a_wrong_field_in_its_own_word(self, admin):
        ours, value, theirs = self.wrong

        answer = self.register(admin, **{ours: value})

        assert self.refuses(answer, 400, theirs)

    def test_says_in_its_own_words_that_something_is_missing(self, admin):
        assert self.is_missing(self.read(admin, self.missing_key()))
        assert self.refuses(admin.get(self.nowhere), 404)
        assert self.refuses(admin.send("PATCH", self.closed_to_patch), 405)

    @pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
    def test_refuses_methods_that_no_api_here_has_to_anybody(self, tenant, admin, method):
        known = admin.send(method, self.closed_to_patch)
        unknown = self.wire(tenant, None).send(method, self.closed_to_patch)

        assert self.refuses(known, 405)
        assert self.refuses(unknown, unknown.status_code)
        assert unknown.status_code in (401, 405)

    def test_answers_what_is_another_tenants_as_missing(self, admin, rival):
        stranger = self.wire(rival, make_token(rival))
        key = self.key_of(self.register(stranger, card_number="7001"))

        answers = {one: self.read(admin, one) for one in (str(key), self.missing_key())}

        assert all(map(self.is_missing, answers.values()))
        # An answer may repeat the key that was asked for; that is all they differ in.
        told = {answer.content.replace(one.encode(), b"") for one, answer in answers.items()}
        assert len(told) == 1

    @pytest.mark.parametrize("token", [None, "wrong", "x" * 300])
    def test_refuses_who_has_no_credential(self, tenant, token):
        assert self.refuses(self.read(self.wire(tenant, token), self.missing_key()), 401)

    def test_refuses_a_body_that_is_announced_too_long(self, admin, settings):
        settings.MAX_UPLOAD_BYTES = 10

        assert self.refuses(self.register(admin, first_name="x" * 100), 413)

    def test_pages_lose_and_repeat_nobody(self, admin):
        known = {str(self.key_of(self.register(admin, card_number=str(n)))) for n in range(PEOPLE)}

        pages = [list(map(str, page)) for page in self.pages(admin, SIZES)]

        assert [len(page) for page in pages] == [2, 2, 1]
        assert sorted(key for page in pages for key in page) == sorted(known)

    def test_serves_with_and_without_the_final_slash(self, admin):
        key = self.key_of(self.register(admin, first_name="Ada"))

        plain, slashed = self.read(admin, key), self.read_with_slash(admin, key)

        assert plain.status_code == slashed.status_code == 200
        assert plain.content == slashed.content

    def test_speaks_every_field_or_says_why_not(self, ada, acme):
        with in_tenant(acme):
            fields = set(record_of(ada.pk))

        assert set(self.dialect.spoken) | set(self.dialect.unspoken) == fields
        assert not set(self.dialect.spoken) & set(self.dialect.unspoken)
        assert all(self.dialect.unspoken.values())
