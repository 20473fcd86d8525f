"""Every write to a customer, one function per deed."""

from customers.services.avatars import remove_avatar, set_avatar
from customers.services.changes import (
    CustomerGone,
    VersionConflict,
    open_change,
    survivor_of,
    with_former_ids,
)
from customers.services.codes import WrongCode
from customers.services.commerce import (
    add_extension,
    remove_charge_account,
    remove_extension,
    remove_store_profile,
    set_charge_account,
    set_store_profile,
)
from customers.services.consents import current_consents, record_consent
from customers.services.devices import add_device, remove_device
from customers.services.distinguishing import forget_not_duplicates, not_duplicates
from customers.services.erasure import anonymise_customer, anonymise_customers, delete_customer
from customers.services.exporting import export_customer, export_schema
from customers.services.finding_duplicates import find_duplicates, possible_duplicates
from customers.services.lifecycle import (
    activate_by_code,
    activate_by_link,
    activate_customer,
    confirm_login_change,
    deactivate_customer,
    invite_customer,
    request_login_change,
    request_password_reset,
    reset_password,
    self_register_customer,
    send_activation,
)
from customers.services.merging import merge_customers, preview_merge
from customers.services.merging_plan import MergeBlocked
from customers.services.messaging import send_temporary_password
from customers.services.passwords import (
    WrongPassword,
    encode_password,
    is_password,
    prove_customer_password,
    set_customer_password,
    sign_in_customer,
)
from customers.services.previewing import anonymisation_preview
from customers.services.registering import register_customer
from customers.services.replaying import replay_journal
from customers.services.resending import SentTooOften, register_once
from customers.services.scanning import personal_values, scan_for
from customers.services.unmerging import forget_merges, undo_merge
from customers.services.updating import (
    NoSuchEntry,
    add_entry,
    change_entry,
    get_customer,
    remove_entry,
    update_customer,
)
from customers.services.upserting import create_or_update, without_former

__all__ = [
    "CustomerGone",
    "MergeBlocked",
    "NoSuchEntry",
    "SentTooOften",
    "VersionConflict",
    "WrongCode",
    "WrongPassword",
    "activate_by_code",
    "activate_by_link",
    "activate_customer",
    "add_device",
    "add_entry",
    "add_extension",
    "anonymisation_preview",
    "anonymise_customer",
    "anonymise_customers",
    "change_entry",
    "confirm_login_change",
    "create_or_update",
    "current_consents",
    "deactivate_customer",
    "delete_customer",
    "encode_password",
    "export_customer",
    "export_schema",
    "find_duplicates",
    "forget_merges",
    "forget_not_duplicates",
    "get_customer",
    "invite_customer",
    "is_password",
    "merge_customers",
    "not_duplicates",
    "open_change",
    "personal_values",
    "possible_duplicates",
    "preview_merge",
    "prove_customer_password",
    "record_consent",
    "register_customer",
    "register_once",
    "remove_avatar",
    "remove_charge_account",
    "remove_device",
    "remove_entry",
    "remove_extension",
    "remove_store_profile",
    "replay_journal",
    "request_login_change",
    "request_password_reset",
    "reset_password",
    "scan_for",
    "self_register_customer",
    "send_activation",
    "send_temporary_password",
    "set_avatar",
    "set_charge_account",
    "set_customer_password",
    "set_store_profile",
    "sign_in_customer",
    "survivor_of",
    "undo_merge",
    "update_customer",
    "with_former_ids",
    "without_former",
]
