"""Customers as Zeald's XML Data API answers them: a ResultSet of Customer elements, with their
UserCustomerGroups where these were joined."""

from typing import Any

from customers.imports.mapping import Mapping, RowError, Rule

from .base import Format

ADDRESS = {
    "address1": "street", "address2": "street2", "address3": "street3", "city": "city",
    "state": "state", "zip": "postal_code", "country": "country",
}  # fmt: skip
RECIPIENT = {"company": "company", "fname": "first_name", "lname": "last_name"}
MEMBERSHIPS = "UserCustomerGroup"
YES, NO = ("true", "1", "yes"), ("false", "0", "no", "unsubscribed", "")


def _finished(values: dict[str, Any], record: dict[str, Any], errors: list[RowError]) -> None:
    """Tell companies from persons and the main phone, and read the memberships."""
    if record.get("company_name"):
        record["kind"] = "company"
    # The phone of the day is the main one.
    for row in record.get("phones", ()):
        row["primary"] = row.get("kind") == "work" or len(record["phones"]) == 1
    errors[:] = [error for error in errors if error.column != MEMBERSHIPS]
    record.pop("groups", None)
    groups = {}
    for row in values.get(MEMBERSHIPS) or ():
        code, said = row.get("group_code", ""), row.get("subscribed", "true").lower()
        if not code or said not in (*YES, *NO):
            message = "needs a group_code, and true or false in subscribed"
            errors.append(RowError(MEMBERSHIPS, code or said, message))
            return
        groups[code] = {"group": code, "subscribed": said in YES}
    if groups:
        record["groups"] = list(groups.values())


CUSTOMERS = Format(
    name="zeald-xml",
    label="Zeald customers (XML)",
    kind="xml",
    mapping=Mapping(
        (
            Rule.plain("username", "username"),
            Rule.plain("email", "email"),
            Rule.plain("phone_day", "work_phone"),
            Rule.plain("phone_night", "home_phone"),
            Rule.plain("b_company", "company_name"),
            Rule.plain("b_fname", "first_name"),
            Rule.plain("b_lname", "last_name"),
            *(Rule.plain(f"b_{theirs}", f"billing_{ours}") for theirs, ours in ADDRESS.items()),
            *(Rule.plain(theirs, f"shipping_{ours}")
              for theirs, ours in (ADDRESS | RECIPIENT).items()),
            Rule.plain(
                "inactive",
                "status",
                values={**dict.fromkeys(YES, "blocked"), **dict.fromkeys(NO[:3], "active")},
            ),
            Rule.plain("discount", "discount_percent"),
            Rule.plain("no_email", "no_email"),
            Rule.plain("mv_shipmode", "shipping_mode"),
            *(Rule.plain(f"custom_data{n}", f"custom_data{n}") for n in range(1, 5)),
            Rule.plain(MEMBERSHIPS, "groups"),
        ),
        match="username",
        finish=_finished,
        ignored=frozenset({"password"}),
    ),
    required=frozenset({"username", "b_fname", "phone_day", "mv_shipmode"}),
    not_taken={"password": "passwords are never imported"},
    notes=(
        "Memberships are read where the file was fetched with UserCustomerGroups joined; the list "
        "of a customer who is here already becomes what the file says.",
    ),
)  # fmt: skip
