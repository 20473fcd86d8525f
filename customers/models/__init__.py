"""The customer record, one module per part, re-exported."""

from customers.models.activation import ActivationCode
from customers.models.bulk_deed import BulkDeed
from customers.models.commerce import ChargeAccount, StoreExtension, StoreProfile
from customers.models.consent import Consent
from customers.models.contact import Address, ContactPerson, Email, Phone
from customers.models.customer import Customer
from customers.models.data_request import DataRequest
from customers.models.extras import Avatar, Device, Erasure, Label, Tombstone
from customers.models.fingerprint import Fingerprint
from customers.models.importing import (
    ImportChunk,
    ImportFile,
    ImportPiece,
    ImportProfile,
    ImportRun,
)
from customers.models.likeness import LikenessKeys, PossibleDuplicate
from customers.models.merging import Merge, NotDuplicate
from customers.models.saved_view import SavedView

__all__ = [
    "ActivationCode",
    "Address",
    "Avatar",
    "BulkDeed",
    "ChargeAccount",
    "Consent",
    "ContactPerson",
    "Customer",
    "DataRequest",
    "Device",
    "Email",
    "Erasure",
    "Fingerprint",
    "ImportChunk",
    "ImportFile",
    "ImportPiece",
    "ImportProfile",
    "ImportRun",
    "Label",
    "LikenessKeys",
    "Merge",
    "NotDuplicate",
    "Phone",
    "PossibleDuplicate",
    "SavedView",
    "StoreExtension",
    "StoreProfile",
    "Tombstone",
]
