"""A file becomes customers: what is matched, written, left alone, refused, and counted."""

import io
import json
import threading

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.imports import engine
from customers.imports.engine import import_customers
from customers.imports.errors import FileError, MappingError
from customers.models import Consent, Customer
from customers.records import record_of
from customers.services import deactivate_customer, record_consent, register_customer
from customers.services import update_customer as change
from events.models import Event, HistoryEntry
from groups.models import Group, Subscription
from groups.services import create_group
from tenancy.models import Tenant
from tenancy.scoping import all_tenants, in_tenant
from tests.factories import CustomerFactory, StoreFactory, TenantFactory

pytestmark = pytest.mark.django_db


def csv_of(*lines):
    return io.BytesIO("\n".join(lines).encode() + b"\n")


def jsonl_of(*records):
    return io.BytesIO("".join(json.dumps(one) + "\n" for one in records).encode())


def counts(report):
    return {name: n for name, n in report.counts.items() if n}


def reasons(report):
    return [(one["line"], one["column"], one["value"], one["message"]) for one in report.errors]


def only():
    return Customer.objects.get()


PEOPLE = (
    "Kundennummer,Vorname,Nachname,E-Mail,Telefon,Strasse,Ort,Land,Newsletter",
    "K1,Ada,Lovelace,ada@example.org,900 00 001,Storgata 1,Oslo,Norway,ja",
    "K2,Grace,Hopper,grace@example.org,900 00 002,Storgata 2,Oslo,Norway,nein",
)


class TestFirstTime:
    def test_every_row_becomes_a_customer_with_children_and_consents(self, acme):
        report = import_customers(csv_of(*PEOPLE))

        ada = Customer.objects.get(external_id="K1")
        assert counts(report) == {"lines": 2, "created": 2}
        assert ada.emails.get().address == "ada@example.org"
        assert ada.phones.get().e164 == "+4790000001"
        assert ada.addresses.get().country == "NO"
        assert ada.consents.get().granted

    def test_numbers_follow_the_file_without_a_gap(self, acme):
        import_customers(csv_of("external_id,name", *(f"x{n},Person {n}" for n in range(600))))

        numbers = list(Customer.objects.order_by("number").values_list("external_id", "number"))

        assert numbers[0] == ("x0", 1)
        assert numbers[-1] == ("x599", 600)
        assert Tenant.objects.get(pk=acme.pk).last_customer_number == 600

    def test_one_history_row_for_each_and_no_event_but_the_imports_own(self, acme):
        import_customers(csv_of(*PEOPLE))

        kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
        assert kinds == ["import.started", "import.completed"]
        assert Event.objects.last().data.get("rows", 2) == 2
        assert HistoryEntry.objects.filter(deed="customer.registered").count() == 2

    def test_the_events_of_an_import_tell_counts_and_no_names(self, acme):
        import_customers(csv_of(*PEOPLE))

        completed = Event.objects.get(kind="import.completed")

        assert completed.data == {
            "lines": 2, "created": 2, "updated": 0, "unchanged": 0, "skipped": 0, "refused": 0,
        }  # fmt: skip

    def test_events_for_each_customer_are_written_when_asked_for(self, acme):
        import_customers(csv_of(*PEOPLE), events=True)

        assert Event.objects.filter(kind="customer.registered").count() == 2

    def test_the_history_says_which_import_it_was(self, acme):
        import_customers(csv_of(*PEOPLE))

        started = Event.objects.get(kind="import.started")
        assert set(HistoryEntry.objects.values_list("request_id", flat=True)) == {
            str(started.subject_id)
        }

    def test_status_and_time_of_registration_are_kept(self, acme):
        import_customers(
            csv_of(
                "external_id,name,status,created_at",
                "x1,Ada,blocked,2020-05-17 12:00:00",
                "x2,Grace,new,2021-01-01",
            )
        )

        ada = Customer.objects.get(external_id="x1")
        assert (ada.status, f"{ada.created_at:%Y-%m-%d}") == ("blocked", "2020-05-17")
        assert Customer.objects.get(external_id="x2").status == "new"

    def test_a_name_that_its_parts_build_stays_built(self, acme):
        import_customers(csv_of("external_id,name,first_name,last_name", "x1,Ada King,Ada,King"))

        change(only(), last_name="Lovelace")

        assert only().name == "Ada Lovelace"

    def test_a_charge_account_is_opened(self, acme):
        import_customers(
            csv_of("external_id,name,charge_account_number,charge_account_retired", "x1,A,77,yes")
        )

        account = only().charge_account
        assert (account.number, account.retired) == ("77", True)

    def test_a_store_is_found_by_its_code_and_reads_the_phones(self, acme):
        berlin = StoreFactory(tenant=acme, code="berlin", country="DE")

        import_customers(csv_of("external_id,name,home_store,phone", "x1,A,Berlin,030 901820"))

        assert only().home_store == berlin
        assert only().phones.get().e164 == "+4930901820"


class TestAgain:
    @pytest.mark.parametrize("policy", ["skip", "fill", "overwrite"])
    def test_the_same_file_again_changes_nothing(self, acme, policy):
        import_customers(csv_of(*PEOPLE))
        before = list(Customer.objects.order_by("pk").values_list("version", "updated_at"))
        n_rows = HistoryEntry.objects.count()

        report = import_customers(csv_of(*PEOPLE), on_match=policy)

        assert counts(report) == {"lines": 2, "unchanged": 2}
        assert list(Customer.objects.order_by("pk").values_list("version", "updated_at")) == before
        assert HistoryEntry.objects.count() == n_rows
        assert Tenant.objects.get(pk=acme.pk).last_customer_number == 2

    @pytest.mark.parametrize("match", ["external_id", "email", "phone"])
    def test_known_customers_are_found_by_the_key(self, acme, match):
        import_customers(csv_of(*PEOPLE))

        report = import_customers(csv_of(*PEOPLE), match=match)

        assert counts(report) == {"lines": 2, "unchanged": 2}

    @pytest.mark.parametrize(
        ("match", "field", "value"),
        [
            ("id", "id", "0a0c9c2e-82af-4edf-a5f5-2f8d211c12a0"),
            ("username", "username", "ada"),
            ("card_number", "card_number", "7001"),
            ("login_email", "login_email", "Ada@Example.org"),
            ("login_phone", "login_phone", "900 00 001"),
        ],
    )
    def test_known_customers_are_found_by_each_identifier(self, acme, match, field, value):
        register_customer(first_name="Ada", **{field: value})

        file = csv_of(f"{field},first_name", f"{value},Ada")

        report = import_customers(file, match=match, format="regulars")

        assert counts(report) == {"lines": 1, "unchanged": 1}

    def test_known_customers_are_found_by_their_number(self, ada):
        file = csv_of("number,first_name", f"CUST-{ada.number},Ada")

        report = import_customers(file, match="number")

        assert counts(report) == {"lines": 1, "unchanged": 1}

    def test_an_unknown_number_is_refused_because_only_the_system_gives_numbers(self, acme):
        report = import_customers(csv_of("number,first_name", "17,Ada"), match="number")

        assert counts(report) == {"lines": 1, "refused": 1}
        assert reasons(report)[0][:3] == (2, "number", 17)

    def test_a_row_without_the_key_is_found_by_its_content(self, acme):
        file = "external_id,name,street,city", ",Ada,Storgata 1,Oslo", ",Grace,,"
        import_customers(csv_of(*file))

        report = import_customers(csv_of(*file))

        assert counts(report) == {"lines": 2, "unchanged": 2}
        assert Customer.objects.count() == 2

    def test_the_same_content_in_two_tenants_is_two_customers(self, acme, rival):
        file = "name,street,city", "Ada,Storgata 1,Oslo"
        import_customers(csv_of(*file))

        with in_tenant(rival):
            report = import_customers(csv_of(*file))

        assert counts(report) == {"lines": 1, "created": 1}


class TestPolicies:
    FILE = (
        "external_id,first_name,last_name,gender,email,phone,consent_marketing",
        "ext-ada,Augusta,King,female,new@example.org,900 00 099,yes",
    )

    def test_skip_leaves_a_known_customer_alone(self, ada):
        report = import_customers(csv_of(*self.FILE), on_match="skip")

        ada.refresh_from_db()
        assert counts(report) == {"lines": 1, "skipped": 1}
        assert (ada.first_name, ada.version) == ("Ada", 1)

    def test_fill_sets_only_what_is_empty_and_adds_contact_points(self, ada):
        report = import_customers(csv_of(*self.FILE), on_match="fill")

        ada.refresh_from_db()
        assert counts(report) == {"lines": 1, "updated": 1}
        assert (ada.first_name, ada.last_name, ada.gender) == ("Ada", "Lovelace", "female")
        assert [(row.address, row.primary) for row in ada.emails.all()] == [
            ("Ada@example.org", True), ("new@example.org", False),
        ]  # fmt: skip
        assert ada.phones.count() == 2

    def test_overwrite_replaces_the_given_fields_and_keeps_the_rest(self, ada):
        report = import_customers(csv_of(*self.FILE), on_match="overwrite")

        ada.refresh_from_db()
        assert counts(report) == {"lines": 1, "updated": 1}
        assert (ada.first_name, ada.name, ada.card_number) == ("Augusta", "Augusta King", "7001")
        assert [(row.address, row.primary) for row in ada.emails.all()] == [
            ("new@example.org", True), ("Ada@example.org", False),
        ]  # fmt: skip

    def test_an_update_is_one_version_and_one_history_row(self, ada):
        file = csv_of(
            self.FILE[0] + ",status,charge_account_number", self.FILE[1] + ",blocked,4711"
        )

        import_customers(file, on_match="overwrite")

        ada.refresh_from_db()
        assert (ada.version, ada.status, ada.charge_account.number) == (2, "blocked", "4711")
        assert HistoryEntry.objects.about("customer", ada.pk).count() == 2

    def test_a_blank_cell_keeps_unless_the_mapping_clears(self, ada):
        file = "external_id,first_name,card_number", "ext-ada,Ada,"
        columns = {name: name for name in file[0].split(",")}
        clearing = json.dumps({"columns": columns, "blank": "clear"})

        kept = import_customers(csv_of(*file), on_match="overwrite")
        cleared = import_customers(csv_of(*file), on_match="overwrite", mapping=clearing)

        ada.refresh_from_db()
        assert counts(kept) == {"lines": 1, "unchanged": 1}
        assert counts(cleared) == {"lines": 1, "updated": 1}
        assert ada.card_number is None

    def test_a_list_of_children_is_changed_by_value_and_loses_nothing(self, ada):
        address = {"kind": "home", "street": "Storgata 1", "postal_code": "0155", "city": "Oslo"}
        report = import_customers(
            jsonl_of(
                {
                    "external_id": "ext-ada",
                    "first_name": "Ada",
                    "phones": [{"given": "+47 900 00 001", "kind": "work"}],
                    "addresses": [{**address, "company": "Engines"}],
                    "labels": {"size": "M"},
                }
            ),
            on_match="overwrite",
        )

        record = record_of(ada.pk)
        assert counts(report) == {"lines": 1, "updated": 1}
        assert [(one["given"], one["kind"]) for one in record["phones"]] == [
            ("+47 900 00 001", "work")
        ]
        assert [(one["company"], one["country"]) for one in record["addresses"]] == [
            ("Engines", "NO")
        ]
        assert len(record["emails"]) == 1

    def test_a_label_of_the_same_key_gets_its_new_value(self, ada):
        change(ada, labels=[{"key": "size", "value": "M"}, {"key": "shoe", "value": "41"}])
        file = "external_id,first_name,label:size", "ext-ada,Ada,L"

        filled = import_customers(csv_of(*file), on_match="fill")
        overwritten = import_customers(csv_of(*file), on_match="overwrite")

        assert (counts(filled), counts(overwritten)) == (
            {"lines": 1, "unchanged": 1}, {"lines": 1, "updated": 1},
        )  # fmt: skip
        assert sorted(ada.labels.values_list("key", "value")) == [("shoe", "41"), ("size", "L")]

    def test_a_blocked_customer_is_activated_and_the_other_way_round(self, ada):
        deactivate_customer(ada)

        import_customers(
            csv_of("external_id,first_name,status", "ext-ada,Ada,active"), on_match="overwrite"
        )

        ada.refresh_from_db()
        assert ada.status == "active"

    def test_nobody_becomes_new_again(self, ada):
        report = import_customers(
            csv_of("external_id,first_name,status", "ext-ada,Ada,new"), on_match="overwrite"
        )

        assert counts(report) == {"lines": 1, "refused": 1}
        assert reasons(report)[0][:3] == (2, "status", "new")

    def test_an_anonymised_customer_is_refused(self, ada):
        Customer.objects.filter(pk=ada.pk).update(anonymised_at=ada.created_at)

        report = import_customers(csv_of("id,external_id,name", f"{ada.pk},x,Ada"), match="id")

        assert counts(report) == {"lines": 1, "refused": 1}
        assert "anonymised" in report.errors[0]["message"]


class TestConsents:
    def test_a_consent_that_holds_already_is_not_stated_again(self, ada):
        record_consent(ada, purpose="marketing", granted=True)

        import_customers(
            csv_of("external_id,first_name,consent_marketing", "ext-ada,Ada,yes"),
            on_match="overwrite",
        )

        assert Consent.objects.count() == 1

    def test_a_statement_older_than_the_withdrawal_does_not_undo_it(self, ada):
        record_consent(ada, purpose="marketing", granted=False)
        file = (
            "external_id,first_name,consent_marketing,consent_marketing_at",
            "ext-ada,Ada,yes,2019-01-01",
        )

        report = import_customers(csv_of(*file), on_match="overwrite")

        assert counts(report) == {"lines": 1, "unchanged": 1}

    def test_fill_states_only_purposes_of_which_nothing_was_ever_said(self, ada):
        record_consent(ada, purpose="marketing", granted=False)

        import_customers(
            csv_of("external_id,first_name,consent_marketing,consent_legal", "ext-ada,Ada,yes,yes"),
            on_match="fill",
        )

        assert sorted(Consent.objects.values_list("purpose", "granted")) == [
            ("legal", True), ("marketing", False),
        ]  # fmt: skip


class TestGroups:
    FILE = "external_id,first_name,groups", "ext-ada,Ada,gold;silver"

    def test_an_unknown_group_refuses_the_row_and_says_what_to_do(self, ada):
        report = import_customers(csv_of(*self.FILE), on_match="overwrite")

        assert [one[:3] for one in reasons(report)] == [
            (2, "groups", "gold"), (2, "groups", "silver"),
        ]  # fmt: skip
        assert "create the group" in report.notes[-1]

    def test_groups_are_added_and_none_is_left(self, ada):
        for code in ("gold", "silver", "bronze"):
            create_group(code=code)
        change(ada, groups=["bronze"])

        first = import_customers(csv_of(*self.FILE), on_match="overwrite")
        again = import_customers(csv_of(*self.FILE), on_match="overwrite")

        assert (counts(first), counts(again)) == (
            {"lines": 1, "updated": 1}, {"lines": 1, "unchanged": 1},
        )  # fmt: skip
        assert Subscription.objects.count() == 3

    def test_a_flag_of_a_json_file_is_kept(self, ada):
        create_group(code="gold")

        import_customers(
            jsonl_of(
                {
                    "external_id": "ext-ada",
                    "first_name": "Ada",
                    "groups": [{"code": "gold", "title": "Gold", "subscribed": False}],
                }
            ),
            on_match="overwrite",
        )

        assert not Subscription.objects.get().subscribed

    def test_missing_groups_are_made_by_whoever_was_asked_to(self, ada):
        def make(codes):
            for code in sorted(codes):
                create_group(code=code)

        report = import_customers(csv_of(*self.FILE), on_match="overwrite", make_groups=make)

        assert counts(report) == {"lines": 1, "updated": 1}
        assert Group.objects.count() == 2


class TestRefusals:
    def test_a_bad_row_refuses_only_itself_with_all_its_reasons_by_column(self, acme):
        report = import_customers(
            csv_of(
                "Kundennummer,Vorname,E-Mail,Geburtstag,Telefon,Land,Ort",
                "K1,Ada,not an address,1985-13-40,none,Atlantis,Oslo",
                "K2,Grace,grace@example.org,1906-12-09,900 00 002,NO,Oslo",
            )
        )

        assert counts(report) == {"lines": 2, "created": 1, "refused": 1}
        assert {one[:3] for one in reasons(report)} == {
            (2, "Geburtstag", "1985-13-40"),
            (2, "E-Mail", "not an address"),
            (2, "Telefon", "none"),
            (2, "Land", "Atlantis"),
        }

    def test_the_second_e_mail_is_named_by_its_own_column(self, acme):
        report = import_customers(
            csv_of("external_id,name,email,email_2", "x1,Ada,ada@example.org,broken")
        )

        assert reasons(report)[0][:3] == (2, "email_2", "broken")

    def test_a_taken_identifier_names_its_column(self, ada):
        report = import_customers(csv_of("external_id,name,card_number", "x1,Eve,7001"))

        assert reasons(report)[0][:3] == (2, "card_number", "7001")
        assert Customer.objects.count() == 1

    def test_an_ambiguous_e_mail_names_both_customers(self, acme):
        for name in ("Ada", "Eve"):
            CustomerFactory(tenant=acme, first_name=name, emails=[{"address": "us@example.org"}])

        report = import_customers(csv_of("email,name", "us@example.org,Ada"), match="email")

        assert counts(report) == {"lines": 1, "refused": 1}
        assert reasons(report) == [
            (2, "email", "us@example.org", "Several customers have this: CUST-1, CUST-2.")
        ]

    def test_a_row_that_says_nobody_is_refused(self, acme):
        report = import_customers(csv_of("name,internal_note", ",hello"))

        assert counts(report) == {"lines": 1, "refused": 1}

    def test_an_unknown_store_and_a_future_registration_are_refused(self, acme):
        report = import_customers(
            csv_of("external_id,name,home_store,created_at", "x1,Ada,Atlantis,2999-01-01")
        )

        assert {one[1] for one in reasons(report)} == {"home_store", "created_at"}

    def test_the_refused_row_leaves_no_trace(self, acme):
        import_customers(csv_of("external_id,name,charge_account_number", "x1,A,7", "x2,B,7"))

        assert Customer.objects.count() == 1
        assert HistoryEntry.objects.filter(deed="customer.registered").count() == 1

    def test_very_many_errors_are_counted_and_not_all_kept(self, acme, monkeypatch):
        monkeypatch.setattr("customers.imports.report.MOST_ERRORS", 3)

        report = import_customers(csv_of("email,name", *(["bad,A"] * 5)))

        assert (len(report.errors), report.errors_left_out, report.refused) == (3, 2, 5)


class TestTheWholeFile:
    @pytest.mark.parametrize(
        ("content", "line"),
        [
            (b"external_id,name\nx1,Ada\nx2\n", 3),
            (b'external_id,name\nx1,Ada\nx2,"Gra', 3),
            (b"external_id,name\nx1,Ada\nx2,Gra\0ce\n", 3),
            (b"external_id,name\nx1,Ada\nx2,\x81\x8d\n", 3),
            (b'{"external_id": "x1", "name": "A"}\n{"external_id": "x2", "na', 2),
        ],
    )
    def test_a_fault_in_its_form_is_told_with_its_line_and_nothing_is_written(
        self, acme, content, line
    ):
        with pytest.raises(FileError) as fault:
            import_customers(io.BytesIO(content))

        assert fault.value.line == line
        assert not Customer.objects.exists()
        assert not Event.objects.exists()

    def test_a_file_without_people_is_refused_with_a_sentence(self, acme):
        with pytest.raises(FileError, match="no column says who the customers are"):
            import_customers(csv_of("colour,size", "red,M"))

    def test_a_file_that_is_not_there_is_refused(self, acme, tmp_path):
        with pytest.raises(FileError, match="cannot be opened"):
            import_customers(tmp_path / "missing.csv")

    def test_a_header_alone_is_refused(self, acme):
        with pytest.raises(FileError, match="no rows"):
            import_customers(csv_of("external_id,name"))

    @pytest.mark.parametrize(
        "options",
        [{"match": "card_number"}, {"match": "shoe"}, {"on_match": "guess"}, {"mapping": "{}"}],
    )
    def test_a_wish_that_the_file_cannot_fulfil_is_refused(self, acme, options):
        with pytest.raises(MappingError):
            import_customers(csv_of("external_id,name", "x1,Ada"), **options)

    def test_the_format_that_was_named_must_fit(self, acme):
        with pytest.raises(FileError, match="lacks “Email"):
            import_customers(csv_of("external_id,name", "x1,Ada"), format="square")

    def test_columns_that_are_not_taken_are_named(self, acme):
        report = import_customers(csv_of("external_id,name,shoe size", "x1,Ada,41"))

        assert [one["column"] for one in report.unmapped] == ["shoe size"]

    def test_blank_lines_are_no_lines(self, acme):
        report = import_customers(csv_of("external_id,name", "", "x1,Ada", "", ","))

        assert counts(report) == {"lines": 1, "created": 1}
        assert (report.rows, report.blank_lines) == (1, 3)

    def test_a_customer_in_several_rows_is_one_line(self, acme):
        header = "email,_website,firstname,lastname,_address_city,_address_street"
        report = import_customers(
            csv_of(
                header,
                "ada@example.org,base,Ada,Lovelace,Oslo,Storgata 1",
                ",,,,Bergen,Bryggen 2",
                "grace@example.org,base,Grace,Hopper,Oslo,Storgata 3",
            )
        )

        assert report.format == "magento-composite"
        assert counts(report) == {"lines": 2, "created": 2}
        assert report.rows == 3
        assert Customer.objects.get(first_name="Ada").addresses.count() == 2

    def test_a_file_of_addresses_adds_to_known_customers_and_makes_none(self, ada):
        header = "_website,_email,_entity_id,city,country_id,firstname,lastname,street,telephone"
        rows = (
            "base,ada@example.org,1,Bergen,NO,Ada,Lovelace,Bryggen 2,900 00 001",
            "base,eve@example.org,2,Bergen,NO,Eve,Stranger,Bryggen 3,900 00 003",
        )

        report = import_customers(csv_of(header, *rows))
        again = import_customers(csv_of(header, *rows))

        assert counts(report) == {"lines": 2, "updated": 1, "refused": 1}
        assert counts(again) == {"lines": 2, "unchanged": 1, "refused": 1}
        assert [row.city for row in ada.addresses.all()] == ["Oslo", "Bergen"]

    def test_the_file_is_read_to_the_end_in_chunks_and_progress_is_told(self, acme, monkeypatch):
        monkeypatch.setattr(engine, "CHUNK", 2)
        seen = []

        import_customers(
            csv_of("external_id,name", *(f"x{n},P" for n in range(5))),
            progress=lambda *numbers: seen.append(numbers),
        )

        assert seen == [(2, 5), (4, 5), (5, 5)]


class TestAfterwards:
    @pytest.mark.skipif(connection.vendor != "sqlite", reason="others keep their statistics")
    def test_a_large_import_leaves_statistics_by_which_the_database_plans(self, acme, monkeypatch):
        monkeypatch.setattr(engine, "MANY", 2)

        import_customers(csv_of(*PEOPLE))

        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'customers_phone'")
            assert cursor.fetchone()[0] > 0


class TestDuplicatesInTheFile:
    @pytest.mark.parametrize("chunk", [1, 2, 10])
    def test_a_later_row_finds_the_customer_of_an_earlier_one(self, acme, monkeypatch, chunk):
        monkeypatch.setattr(engine, "CHUNK", chunk)
        file = csv_of(
            "email,first_name,last_name",
            "ada@example.org,Ada,",
            "grace@example.org,Grace,Hopper",
            "ADA@example.org,Ada,Lovelace",
            "ada@example.org,Augusta,Lovelace",
            "ada@example.org,Ada,Lovelace",
        )

        report = import_customers(file, match="email", on_match="fill")

        assert counts(report) == {"lines": 5, "created": 2, "updated": 1, "unchanged": 2}
        assert Customer.objects.with_email("ada@example.org").get().name == "Ada Lovelace"

    def test_the_same_row_without_any_key_is_one_customer(self, acme):
        report = import_customers(csv_of("name,street", "Ada,Storgata 1", "Ada,Storgata 1"))

        assert counts(report) == {"lines": 2, "created": 1, "unchanged": 1}


class TestDryRun:
    def test_it_says_the_same_and_leaves_nothing(self, ada):
        file = (
            "external_id,first_name,email",
            "ext-ada,Augusta,ada@example.org",
            "x2,Grace,grace@example.org",
            "x3,Eve,broken",
            "x2,Grace,grace@example.org",
        )
        before = [HistoryEntry.objects.count(), Event.objects.count(), record_of(ada.pk)]

        dry = import_customers(csv_of(*file), on_match="overwrite", dry_run=True)

        assert [HistoryEntry.objects.count(), Event.objects.count(), record_of(ada.pk)] == before
        assert Customer.objects.count() == 1
        assert Tenant.objects.get(pk=ada.tenant_id).last_customer_number == 1
        real = import_customers(csv_of(*file), on_match="overwrite")
        assert dry.dry_run
        assert (dry.counts, dry.errors) == (real.counts, real.errors)


# --- One path for every way in ------------------------------------------------------------------
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
ROWS = st.fixed_dictionaries(
    {"external_id": st.uuids().map(str), "first_name": TEXTS},
    optional={
        "last_name": st.sampled_from(["Hansen", "Gonçalves", "O'Hara"]),
        "company_name": TEXTS,
        "birth_date": st.sampled_from(["1985-12-10", "--02-29", "1985-02-30", "soon"]),
        "discount_percent": st.integers(-5, 120),
        "gender": st.sampled_from(["female", "male"]),
        "vat_number": st.sampled_from(["NO 999 888 777", "?"]),
        "emails": st.lists(
            st.fixed_dictionaries(
                {"address": st.sampled_from(["a@example.org", "A@Example.ORG", "b@x", "c@d.org"])}
            ),
            max_size=3,
        ),
        "phones": st.lists(
            st.fixed_dictionaries(
                {"given": st.sampled_from(["900 00 001", "+4790000001", "12", "x"])},
                optional={"kind": st.sampled_from(["work", "mobile"])},
            ),
            max_size=3,
        ),
        "addresses": st.lists(
            st.fixed_dictionaries({"city": st.just("Oslo"), "country": st.sampled_from(["NO"])}),
            max_size=2,
        ),
        "internal_note": TEXTS,
        "status": st.sampled_from(["new", "active", "blocked"]),
    },
)
FRESH = {"id", "number", "created_at", "updated_at", "external_id"}


def comparable(customer_id):
    record = record_of(customer_id)
    told = {name: value for name, value in record.items() if name not in FRESH}
    for name in ("emails", "phones", "addresses"):
        told[name] = [
            {key: value for key, value in row.items() if key not in FRESH} for row in told[name]
        ]
    told["loyalty"] = told["loyalty"] | {"level_since": None}
    return told


def registered(row):
    """What a single registration makes of a row; None where it refuses."""
    values = {name: value for name, value in row.items() if value not in ("", [])}
    try:
        return comparable(register_customer(**values | {"external_id": "single"}).pk)
    except Exception:
        return None


class TestOneRule:
    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(rows=st.lists(ROWS, min_size=1, max_size=5, unique_by=lambda row: row["external_id"]))
    def test_a_row_becomes_what_a_single_registration_makes_of_it(self, acme, rows):
        expected = []
        for row in rows:
            expected.append(registered(row))
            Customer.objects.filter(external_id="single").delete()

        report = import_customers(jsonl_of(*rows), format="jsonl", mapping=OWN, match="external_id")

        for row, wanted in zip(rows, expected, strict=True):
            found = Customer.objects.filter(external_id=row["external_id"]).first()
            assert (found and comparable(found.pk)) == wanted
        assert report.created == sum(one is not None for one in expected)

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        cells=st.lists(
            st.tuples(
                st.sampled_from(["", "1", "2", "3"]),
                st.sampled_from(["", "a@example.org", "b@example.org", "broken"]),
                st.sampled_from(["", "Ada", "Grace"]),
                st.sampled_from(["", "900 00 001", "none"]),
                st.sampled_from(["", "yes", "no", "perhaps"]),
            ),
            min_size=1,
            max_size=12,
        ),
        match=st.sampled_from([None, "email", "phone", "external_id"]),
        policy=st.sampled_from(["skip", "fill", "overwrite"]),
        chunk=st.sampled_from([1, 3, 100]),
    )
    def test_the_totals_always_add_up_and_a_second_run_creates_nobody(
        self, acme, cells, match, policy, chunk
    ):
        header = "external_id,email,first_name,phone,consent_marketing"
        file = [header, *(",".join(row) for row in cells)]
        n_rows = sum(any(row) for row in cells)
        if not n_rows:
            return
        engine.CHUNK, before = chunk, engine.CHUNK
        try:
            first = import_customers(csv_of(*file), match=match, on_match=policy)
            n_customers = Customer.objects.count()
            second = import_customers(csv_of(*file), match=match, on_match=policy)
        finally:
            engine.CHUNK = before

        for report in (first, second):
            assert report.lines == n_rows == report.rows
            assert sum(counts(report).values()) == 2 * n_rows
            assert report.refused == len({one["line"] for one in report.errors})
        assert second.created == 0
        assert Customer.objects.count() == n_customers
        Customer.objects.all().delete()


OWN = json.dumps({"columns": {name: name for name in (
    "external_id", "first_name", "last_name", "company_name", "birth_date", "discount_percent",
    "gender", "vat_number", "emails", "phones", "addresses", "internal_note", "status",
)}})  # fmt: skip


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    @pytest.mark.parametrize("order", [1, -1])
    @pytest.mark.parametrize("match", ["email", "external_id", None])
    def test_two_runs_of_one_file_double_nobody(self, monkeypatch, match, order):
        monkeypatch.setattr(engine, "CHUNK", 5)
        tenant = TenantFactory(code="acme")
        # Nothing but the e-mail says who somebody is there, and no constraint guards it.
        header = {"email": "email,name", "external_id": "external_id,name"}.get(match, "city,name")
        rows = [f"p{n}{'@example.org' if match == 'email' else ''},Person" for n in range(30)]
        second = rows[::order]
        barrier, reports = threading.Barrier(2), []

        def work(lines):
            try:
                with in_tenant(tenant):
                    barrier.wait()
                    reports.append(import_customers(csv_of(header, *lines), match=match))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work, args=(lines,)) for lines in (rows, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with all_tenants():
            assert Customer.objects.count() == 30
        assert sum(report.created for report in reports) == 30
        assert sum(report.unchanged for report in reports) == 30
        assert not any(report.errors for report in reports)


class TestStatistics:
    def test_the_database_counts_anew_each_time_a_file_has_grown_a_lot(self, acme, monkeypatch):
        monkeypatch.setattr(engine, "CHUNK", 5)
        monkeypatch.setattr(engine, "MANY", 2)
        counted = []
        monkeypatch.setattr(
            engine,
            "refresh_statistics",
            lambda rough=False: counted.append((Customer.objects.count(), rough)),
        )

        import_customers(csv_of("external_id,name", *(f"{n},N{n}" for n in range(45))))

        # At 4 × 2, at 4 × 10, and at the end.
        assert counted == [(10, True), (40, True), (45, False)]

    def test_a_dry_run_lets_nothing_be_counted(self, acme, monkeypatch):
        monkeypatch.setattr(engine, "MANY", 1)
        monkeypatch.setattr(engine, "refresh_statistics", lambda **_: pytest.fail("counted"))

        import_customers(csv_of("external_id,name", *(f"{n},N{n}" for n in range(9))), dry_run=True)

    @pytest.mark.skipif(connection.vendor == "sqlite", reason="it counts a thousand rows at most")
    def test_few_customers_more_than_there_were_are_not_worth_counting(self, acme, monkeypatch):
        monkeypatch.setattr(engine, "MANY", 1)
        import_customers(csv_of("external_id,name", *(f"{n},N{n}" for n in range(30))))
        counted = []
        monkeypatch.setattr(engine, "refresh_statistics", lambda **_: counted.append(1))

        import_customers(csv_of("external_id,name", "x,X"))
        few = list(counted)
        import_customers(csv_of("external_id,name", *(f"y{n},Y" for n in range(9))))

        assert not few
        assert counted

    @pytest.mark.parametrize("rough", [True, False])
    def test_counting_is_a_statement_that_the_database_knows(self, acme, rough):
        import_customers(csv_of("external_id,name", "1,A"))

        engine.refresh_statistics(rough=rough)

        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT reltuples FROM pg_class WHERE relname = 'customers_customer'"
                )
                assert cursor.fetchone()[0] >= 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("dry_run", "waits"),
    [(False, {"begin": "on", "keep": "off", "complete": "on"}), (True, {})],
)
def test_only_the_end_of_an_import_waits_until_the_disk_has_everything(dry_run, waits):
    class Watching(engine.Journal):
        def __init__(self):
            super().__init__()
            self.seen = {}

        def note(self, deed, *args):
            with connection.cursor() as cursor:
                cursor.execute("SHOW synchronous_commit")
                self.seen[deed] = cursor.fetchone()[0]
            getattr(super(), deed)(*args)

        def begin(self, *args):
            self.note("begin", *args)

        def keep(self, *args):
            self.note("keep", *args)

        def complete(self, *args):
            self.note("complete", *args)

    journal = Watching()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")  # the tests are run with another word
    try:
        with in_tenant(TenantFactory()):
            import_customers(csv_of(*PEOPLE), journal=journal, dry_run=dry_run)
    finally:
        connection.close()

    assert journal.seen == waits
