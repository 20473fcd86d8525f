"""How the customers' own refusals are worded."""

from api.etags import changed_meanwhile
from api.problems import CONFLICTS, Problem, wording
from customers.services import CustomerGone, NoSuchEntry, VersionConflict, WrongCode
from customers.services.placing import OtherStore

# The record is in a state that forbids the deed; the body is not to blame.
CONFLICTS |= {"anonymised", "not_new", "no_target"}


@wording(CustomerGone, NoSuchEntry)
def _gone(error):
    return Problem(404, "not_found", "There is nothing here for you.")


@wording(OtherStore)
def _other_store(error):
    return Problem(403, "other_store", str(error))


@wording(VersionConflict)
def _conflict(error):
    return changed_meanwhile(error.current)


@wording(WrongCode)
def _wrong_code(error):
    errors = [{"field": "code", "code": "wrong_code", "message": "This code is not accepted."}]
    return Problem(400, "wrong_code", "This code is not accepted.", errors, counted=True)
