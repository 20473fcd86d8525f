"""What happens to known customers where more is said than skip, fill or overwrite."""

import io

import pytest

from customers.imports.engine import import_customers
from customers.imports.errors import MappingError
from customers.imports.ordering import order_import
from customers.imports.reviewing import accept_proposals, proposals_of
from customers.imports.runs import report_of
from customers.imports.storing import keep_file
from customers.models import Customer, ImportRun
from customers.services import register_customer
from tests.api_client import as_role  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(acme):
    return register_customer(
        external_id="x1", first_name="Ada", last_name="King", origin="till",
        emails=[{"address": "ada@example.org"}],
    )  # fmt: skip


def csv_of(*lines):
    return io.BytesIO("\n".join(lines).encode() + b"\n")


FILE = ("external_id,first_name,last_name,origin,email", "x1,Augusta,Byron,shop,new@example.org")


def test_only_the_named_fields_are_overwritten_and_the_others_filled(ada):
    import_customers(
        csv_of("external_id,first_name,last_name,company_name", "x1,Augusta,Byron,Engines"),
        on_match="overwrite",
        overwrites=["first_name"],
    )

    ada.refresh_from_db()
    assert (ada.first_name, ada.last_name, ada.company_name) == ("Augusta", "King", "Engines")


def test_a_field_that_is_none_is_refused_by_name(ada):
    with pytest.raises(MappingError) as refusal:
        import_customers(csv_of(*FILE), on_match="overwrite", overwrites=["shoe_size"])

    assert refusal.value.key == "overwrites"


def test_a_blank_cell_clears_where_that_is_asked_for(ada):
    file = csv_of("external_id,first_name,origin", "x1,Ada,")
    import_customers(file, on_match="overwrite")
    ada.refresh_from_db()
    assert ada.origin == "till"

    import_customers(file, on_match="overwrite", blank="clear")

    ada.refresh_from_db()
    assert (ada.first_name, ada.origin) == ("Ada", "")


class TestReview:
    @pytest.fixture
    def run(self, ada, run_jobs):
        text = "\n".join([*FILE, "x2,Grace,Hopper,shop,g@example.org"]) + "\n"
        run = order_import(keep_file([text.encode()]), options={"on_match": "review"})
        run_jobs()
        return ImportRun.objects.get(pk=run.pk)

    def test_what_would_change_waits_with_old_and_new(self, run, ada):
        (proposal,) = proposals_of(run)

        report = report_of(run)
        assert (report.created, report.skipped, report.to_review) == (1, 1, 1)
        assert (proposal["line"], proposal["customer"]) == (2, str(ada.pk))
        assert (proposal["before"]["first_name"], proposal["after"]["first_name"]) == (
            "Ada", "Augusta",
        )  # fmt: skip
        assert proposal["before"]["emails"][0]["address"] == "ada@example.org"
        assert Customer.objects.get(pk=ada.pk).first_name == "Ada"

    def test_what_is_accepted_is_written(self, run, ada, run_jobs):
        again = accept_proposals(run, [2])
        run_jobs()

        again.refresh_from_db()
        ada.refresh_from_db()
        assert again.counts["updated"] == again.counts["lines"] == 1
        assert (ada.first_name, ada.origin) == ("Augusta", "shop")

    def test_it_is_read_and_accepted_over_the_api(self, run, ada, as_role, run_jobs):  # noqa: F811
        api = as_role("admin")
        path = f"imports/{run.pk}/review/"

        assert [one["line"] for one in api.get(path).json()["results"]] == [2]
        assert api.post(path, {"lines": [3]}).status_code == 400
        assert api.post(path, {"lines": "all"}).status_code == 400
        assert api.post(path, {}).status_code == 202
        run_jobs()
        ada.refresh_from_db()
        assert ada.first_name == "Augusta"
