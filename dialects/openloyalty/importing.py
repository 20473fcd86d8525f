"""The report of an XML import as Open Loyalty writes it: one item for each customer of the file."""

from django.core.exceptions import ValidationError

from customers.imports.engine import import_customers
from customers.imports.errors import EmptyFile, FileError, TooManyRows
from customers.imports.report import CREATED
from customers.imports.xml_rows import INVALID

FORMAT = "openloyalty-xml"
# Some fifteen seconds; the command takes any number.
MOST_AT_ONCE = 5_000
CONVERT, PROCESS = "Convert exception: ", "Process exception: "
# In the vendor's order, of which only the first is told; one of them ends in a dot.
TAKEN = {
    "login_email": "Customer with such email already exists",
    "card_number": "Customer with such loyalty card number already exists",
    "login_phone": "Customer with such phone already exists.",
}
START_LEVEL = "Neither level is not available as start level for this customer."


def imported(file):
    """Import an uploaded file and return the vendor's report.

    A file whose XML is broken is refused as a whole, with one item that says so. Raises
    ValidationError naming `file` for more customers than a request can wait for.
    """
    items = []
    try:
        import_customers(
            file,
            format=FORMAT,
            on_done=lambda done: items.append(item_of(done)),
            most_rows=MOST_AT_ONCE,
        )
    except EmptyFile:
        pass
    except TooManyRows as fault:
        raise ValidationError({"file": ValidationError(str(fault), code="too_large")}) from fault
    except FileError:
        items = [_failure(CONVERT + INVALID, "")]
    n_success = sum(item["status"] == "success" for item in items)
    return {
        "items": items,
        "totalProcessed": len(items),
        "totalSuccess": n_success,
        "totalFailed": len(items) - n_success,
    }


def item_of(done):
    """The item about one customer of the file."""
    identifier = str(done.shaped.raw[0].values.get("email") or "")
    if done.outcome == CREATED:
        return {
            "status": "success",
            "processImportResult": {"object": done.customer_id},
            "identifier": identifier,
        }
    if done.shaped.errors:
        return _failure(CONVERT + done.shaped.errors[0].message, identifier)
    return _failure(PROCESS + _reason(done), identifier)


def _failure(message, identifier):
    return {"status": "error", "message": message, "identifier": identifier}


def _reason(done):
    by_field = getattr(done.refusal, "error_dict", {})
    for name, sentence in TAKEN.items():
        if any(error.code == "unique" for error in by_field.get(name, ())):
            return sentence
    if "level" in by_field:
        return START_LEVEL
    fault = done.faults[0]
    return f"{fault['column']}: {fault['message']}" if fault["column"] else fault["message"]
