"""The lines of the customers' own tables."""

import base64
from decimal import Decimal

from django.db.models import Q

from customers.likeness import KEYS
from customers.privacy.registry import (
    EMPTIED,
    GOES,
    KEPT,
    MONTH,
    becomes,
    lines,
    registry,
    shown,
)
from normalise import minor_unit_places

TEXT = {"type": "string"}
TEXT_OR_NULL = {"type": ["string", "null"]}
NUMBER_OR_NULL = {"type": ["number", "null"]}

UNTIL_ERASURE = "until the customer is anonymised or deleted"
KEY = "our own key, points at nothing outside"
DERIVED = "derived from a column that is exported"
TOLD = "the history tells the same"
ALIKE = "how alike two records are, which says nothing about either"
UNDO = "a copy of the merged record and of what the survivor held before"
EVIDENCE = "shows that a consent once stood behind what was done; tells nobody whose it was"
MERGED = "says which records are the same person's; tells nobody whose"
SENT = "a keyed digest of what was sent: recognises the same message, tells nothing"
TOMBSTONE = "integrators must learn from the change feed that the record is gone"


def money(column):
    def show(customer):
        minor = getattr(customer, column)
        places = minor_unit_places(customer.tenant.currency)
        return None if minor is None else str(Decimal(minor).scaleb(-places))

    return shown(column, EMPTIED, column, show, TEXT_OR_NULL)


def code_of_store(column, action, *, why="", personal="customer"):
    def show(row):
        store = getattr(row, column)
        return store.code if store else None

    return shown(column, action, column, show, TEXT_OR_NULL, why=why, personal=personal)


def _degrees(column):
    def show(address):
        micro = getattr(address, f"{column}_micro")
        return None if micro is None else micro / 1_000_000

    return shown(f"{column}_micro", GOES, column, show, NUMBER_OR_NULL)


def _picture(avatar):
    try:
        with avatar.file.storage.open(avatar.file.name) as file:
            return base64.b64encode(file.read()).decode("ascii")
    except FileNotFoundError:
        return None


def _merges_of(customer):
    return Q(survivor=customer.pk) | Q(merged=customer.pk)


def _pairs_of(customer):
    return Q(first=customer.pk) | Q(second=customer.pk)


registry.add_table(
    "customers.Customer",
    lines("id", KEPT, personal="customer", why="the shell: integrators see that it is gone"),
    lines("tenant", KEPT, exported=False),
    lines(
        "number external_id username card_number login_email login_phone",
        EMPTIED,
        personal="customer",
        identifies=True,
    ),
    lines("login_phone_key", EMPTIED, personal="customer", why=DERIVED, exported=False),
    lines("kind", EMPTIED, personal="customer"),
    lines(
        "name first_name last_name company_name vat_number",
        EMPTIED,
        personal="customer",
        identifies=True,
    ),
    lines("gender", EMPTIED, personal="customer"),
    lines("name_given", EMPTIED, why="how the name was made", exported=False),
    lines("password_temporary", EMPTIED, why="how the password was made", exported=False),
    lines("birth_year birth_month birth_day", EMPTIED, personal="customer"),
    lines("language eu_citizen", EMPTIED, personal="customer"),
    lines("status", becomes("blocked"), personal="customer"),
    lines("card_state hidden no_loyalty no_email", EMPTIED, personal="customer"),
    lines("created_at", MONTH, personal="customer"),
    lines("updated_at", KEPT, personal="customer", why="becomes the instant of the erasure"),
    lines("version", KEPT, personal="customer", why="counts changes; the ETag of the shell"),
    lines("anonymised_at", KEPT, personal="customer", why="says that and when it was erased"),
    lines("merged_into", KEPT, personal="customer", why=MERGED, exported=False),
    lines("discount_percent price_list payment_terms_days", EMPTIED, personal="customer"),
    lines("ledger_number shipping_mode e_invoice e_invoice_address", EMPTIED, personal="customer"),
    money("credit_limit"),
    money("credit_balance"),
    money("floor_limit"),
    code_of_store("home_store", KEPT, why="counts per store must go on adding up"),
    shown(
        "seller",
        EMPTIED,
        "seller",
        # Who that is, is the data of somebody else.
        lambda customer: "staff" if customer.seller_id else None,
        TEXT_OR_NULL,
    ),
    lines("origin internal_note invitation_token", EMPTIED, personal="customer"),
    lines("custom_data1 custom_data2 custom_data3 custom_data4", EMPTIED, personal="customer"),
    lines(
        "password",
        EMPTIED,
        personal="customer",
        why="a secret: only its hash is held",
        exported=False,
        secret=True,
    ),
    lines("search_text", EMPTIED, personal="customer", why=DERIVED, exported=False),
    owner="pk",
    manager="with_merged",
    section="customer",
    single=True,
    purpose="who the customer is, how business is done",
    limit=f"{UNTIL_ERASURE}; the shell stays without limit",
)

_CHILD = [
    *lines("id", GOES, personal="customer"),
    *lines("tenant customer", GOES, exported=False),
    *lines("position", GOES, why="the order of a list", exported=False),
    *lines("created_at", GOES, personal="customer"),
]
_OF_CUSTOMER = {"owner": "customer", "whole_row": True, "limit": UNTIL_ERASURE}

registry.add_table(
    "customers.Email",
    _CHILD,
    lines("address", GOES, personal="customer", identifies=True),
    lines("primary verified opted_out", GOES, personal="customer"),
    lines("address_key", GOES, personal="customer", why=DERIVED, exported=False),
    section="emails",
    purpose="to reach the customer",
    order=("position", "pk"),
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.Phone",
    _CHILD,
    lines("given e164", GOES, personal="customer", identifies=True),
    lines("kind extension primary verified opted_out", GOES, personal="customer"),
    lines("digits reversed_digits", GOES, personal="customer", why=DERIVED, exported=False),
    section="phones",
    purpose="to reach the customer",
    order=("position", "pk"),
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.Address",
    _CHILD,
    lines("kind street street2 street3 city state postal_code", GOES, personal="customer"),
    lines("country first_name last_name company email phone primary", GOES, personal="customer"),
    _degrees("latitude"),
    _degrees("longitude"),
    section="addresses",
    purpose="to deliver and to invoice",
    order=("position", "pk"),
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.ContactPerson",
    _CHILD,
    lines("first_name last_name email mobile", GOES, personal="customer"),
    section="contact_persons",
    purpose="to talk to a company",
    order=("position", "pk"),
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.Label",
    _CHILD,
    lines("key value", GOES, personal="customer"),
    section="labels",
    purpose="what integrations note down",
    order=("position", "pk"),
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.Device",
    lines("id token created_at", GOES, personal="customer"),
    lines("tenant customer", GOES, exported=False),
    section="devices",
    purpose="to send push messages",
    order=("created_at", "pk"),
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.Avatar",
    lines("tenant customer", GOES, exported=False),
    shown("file", GOES, "content_base64", _picture, TEXT_OR_NULL),
    lines("original_name mime width height created_at", GOES, personal="customer"),
    section="avatar",
    single=True,
    file_column="file",
    purpose="to recognise the customer",
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.Consent",
    lines("id", KEPT, why=KEY),
    lines("tenant customer", KEPT, exported=False),
    lines("purpose granted wording_version", KEPT, personal="customer", why=EVIDENCE),
    lines("at", MONTH, personal="customer"),
    code_of_store("store", KEPT, why=EVIDENCE),
    lines("actor_kind", KEPT, why=EVIDENCE),
    lines("actor_id actor_label", EMPTIED, personal="staff", exported=False),
    lines("source", EMPTIED, personal="customer"),
    lines("version", KEPT, personal="customer", why="the order of the statements"),
    owner="customer",
    section="consents",
    order=("version", "purpose"),
    purpose="to prove what was agreed to",
    limit="with the shell; gone when the customer is deleted",
)
registry.add_table(
    "customers.StoreProfile",
    lines("id pos_ref note created_at", GOES, personal="customer"),
    lines("tenant customer", GOES, exported=False),
    code_of_store("store", GOES),
    section="store_profiles",
    order=("created_at", "pk"),
    purpose="what a single store keeps",
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.StoreExtension",
    lines("id code created_at", GOES, personal="customer"),
    lines("tenant customer", GOES, exported=False),
    code_of_store("store", GOES),
    section="extensions",
    order=("created_at", "pk"),
    purpose="services that a store switched on",
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.ChargeAccount",
    lines("tenant customer", GOES, exported=False),
    lines("number retired created_at", GOES, personal="customer"),
    section="charge_account",
    single=True,
    purpose="to buy on account",
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.Fingerprint",
    lines("id", GOES, why=KEY, exported=False),
    lines("tenant customer", GOES, exported=False),
    lines("digest", GOES, personal="customer", why=SENT, exported=False, secret=True),
    lines("created_at", GOES, personal="customer", why=TOLD, exported=False),
    purpose="to register a message that is sent again only once",
    **_OF_CUSTOMER,
)
registry.add_table(
    "customers.ActivationCode",
    lines("id", GOES, why=KEY, exported=False),
    lines("tenant customer", GOES, exported=False),
    lines("purpose target created_at expires_at tries", GOES, personal="customer"),
    lines("digest pepper", GOES, why="a secret", exported=False, secret=True),
    section="codes_on_their_way",
    order=("created_at", "pk"),
    purpose="to prove a contact point",
    owner="customer",
    whole_row=True,
    limit="10 minutes (code) or 48 hours (link)",
)
registry.add_table(
    "customers.Merge",
    lines("id tenant undo_until undone_at actor_kind", KEPT, exported=False),
    lines("survivor merged version", KEPT, personal="customer", why=MERGED, exported=False),
    lines("at", MONTH, personal="customer", why=TOLD, exported=False),
    lines("actor_id actor_label", EMPTIED, personal="staff", exported=False),
    lines("reason", EMPTIED, personal="customer", why=TOLD, exported=False),
    lines("journal", EMPTIED, personal="customer", why=UNDO, exported=False, secret=True),
    select=_merges_of,
    purpose="to part two records again that were merged by mistake",
    limit="the journal is emptied when the time to undo is over; the rest stays with the shell",
)
registry.add_table(
    "customers.NotDuplicate",
    lines("id tenant first second actor_kind", GOES, exported=False),
    lines("at reason", GOES, personal="customer", why=TOLD, exported=False),
    lines("actor_id actor_label", GOES, personal="staff", exported=False),
    select=_pairs_of,
    whole_row=True,
    purpose="to ask about two alike records only once",
    limit=UNTIL_ERASURE,
)
registry.add_table(
    "customers.LikenessKeys",
    lines("tenant customer version rules", GOES, exported=False),
    lines(
        " ".join(KEYS),
        GOES,
        personal="customer",
        why="a number made of what is exported, to find records that are alike",
        exported=False,
    ),
    owner="customer",
    whole_row=True,
    purpose="to find two records of one person",
    limit=UNTIL_ERASURE,
)
registry.add_table(
    "customers.PossibleDuplicate",
    lines("id tenant first second state found_at", GOES, exported=False),
    lines("score reasons", GOES, personal="customer", why=ALIKE, exported=False),
    select=_pairs_of,
    whole_row=True,
    purpose="to ask staff whether two records are one person",
    limit=UNTIL_ERASURE,
)
registry.add_table(
    "customers.Tombstone",
    lines("id deleted_at", KEPT, personal="customer", why=TOMBSTONE, exported=False),
    lines("tenant", KEPT, exported=False),
    lines("actor_kind actor_id", KEPT, personal="staff", why=TOMBSTONE, exported=False),
    owner="pk",
    deleted_too=False,
    purpose="to tell integrators of deletions",
    limit="none; it holds nothing about a person but that a record existed",
)
FOUND = "says where a search found something, not what"
registry.add_table(
    "customers.Erasure",
    lines("id tenant", KEPT, exported=False),
    lines(
        "customer_id scope at policy journaled_at finished_at",
        KEPT,
        personal="customer",
        why="the proof of the erasure, and what a restored backup must do again",
        exported=False,
    ),
    lines("files", KEPT, why="random file names, until the files are gone", exported=False),
    lines("scan search_state search searched_at", KEPT, why=FOUND, exported=False),
    lines(
        "sealed",
        KEPT,
        personal="customer",
        why="what the search has to look for, readable by this installation alone: until it is "
        "through, a week at most",
        exported=False,
        secret=True,
    ),
    owner="customer_id",
    deleted_too=False,
    purpose="to finish erasures, and to repeat them after a restore",
    limit="none; it holds nothing about a person but that a record existed",
)


# --- Requests of people about their data --------------------------------------------------------
REQUEST_STAFF = "says who of the staff answered, which is their data, not the customer's"
ANSWERED = "the proof that the request was answered, and when (GDPR articles 5(2) and 12)"
registry.add_table(
    "customers.DataRequest",
    lines("id tenant", KEPT, exported=False),
    lines("customer_id", KEPT, personal="customer", why=ANSWERED, exported=False),
    lines(
        "kind state received_on channel due_on identity identified_at exported_at reason closed_at",
        KEPT,
        personal="customer",
        why=ANSWERED,
    ),
    lines("created_at", KEPT, personal="customer", why=ANSWERED, exported=False),
    lines("note", EMPTIED, personal="customer"),
    lines("scan", KEPT, why=FOUND, exported=False),
    lines(
        "created_by identified_by closed_by",
        KEPT,
        personal="staff",
        why=REQUEST_STAFF,
        exported=False,
    ),
    owner="customer_id",
    deleted_too=False,
    section="data_requests",
    purpose="what the person asked about the data, and the answer",
    limit="as long as claims can be made; the note goes with the person",
)


registry.add_table(
    "customers.BulkDeed",
    lines("id tenant deed choice state ids n_total n_done counts", KEPT, exported=False),
    lines("results reason job_id cancel_requested actor_kind", KEPT, exported=False),
    lines("created_at finished_at", KEPT, exported=False),
    lines("actor_id actor_label", KEPT, personal="staff", why=REQUEST_STAFF, exported=False),
    purpose="a deed for many customers: their ids, and what became of each",
    limit="as long as the tenant; the reason goes when it is through",
)


registry.add_table(
    "customers.SavedView",
    lines("id tenant name query shared created_at", KEPT, exported=False),
    lines("member", KEPT, personal="staff", why=REQUEST_STAFF, exported=False),
    purpose="filters of the list of customers under a name; what was searched for is left out",
    limit="until its owner forgets it",
)


# --- Imports -----------------------------------------------------------------------------------
IMPORT_STAFF = "says who of the staff imported, which is their data, not the customer's"
IMPORT_SEALED = "readable by the import alone, and gone in a week"
registry.add_table(
    "customers.ImportFile",
    lines("id tenant name size digest created_at expires_at", KEPT, exported=False),
    purpose="a file on its way in",
    limit="a week at most",
)
registry.add_table(
    "customers.ImportPiece",
    lines("id tenant file number", KEPT, exported=False),
    lines("sealed", KEPT, why="readable by the import alone, and gone in a week", exported=False),
    purpose="the bytes of that file, sealed",
    limit="a week at most",
)
registry.add_table(
    "customers.ImportRun",
    lines("id tenant kind file fingerprint options dry_run state failure", KEPT, exported=False),
    lines("file_name rows_total rows_done counts facts n_chunks fence", KEPT, exported=False),
    lines("lease_until cancel_requested job_id decided undone language", KEPT, exported=False),
    lines("actor_kind", KEPT, exported=False),
    lines("actor_id actor_label", KEPT, personal="staff", why=IMPORT_STAFF, exported=False),
    lines("created_at started_at finished_at", KEPT, exported=False),
    purpose="what was imported, how, and with what result",
    limit="as long as the tenant",
)
registry.add_table(
    "customers.ImportProfile",
    lines("id tenant name header_key mapping options created_at updated_at", KEPT, exported=False),
    purpose="how files with certain columns are to be read",
    limit="until somebody deletes it",
)
registry.add_table(
    "customers.ImportChunk",
    lines("id tenant run number created changed counts undone", KEPT, exported=False),
    lines("sealed outcomes", KEPT, why=IMPORT_SEALED, exported=False),
    purpose="refused rows, what an undo needs, what a dry run would do with each row, sealed; "
    "the ids of new and changed customers",
    limit="the sealed part a week at most",
)
