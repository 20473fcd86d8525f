"""How the customers' own refusals are worded."""

from api.etags import changed_meanwhile
from api.problems import CONFLICTS, Problem, wording
from customers.services import (
    CustomerGone,
    MergeBlocked,
    NoSuchEntry,
    VersionConflict,
    WrongCode,
)
from customers.services.placing import OtherStore

# The record is in a state that forbids the deed; the body is not to blame.
CONFLICTS |= {"anonymised", "not_new", "no_target"}
CONFLICTS |= {"undone", "undo_expired", "later_merge", "survivor_merged"}


@wording(MergeBlocked)
def _blocked(error):
    errors = [
        {"field": blocker["field"], "code": blocker["code"], "message": blocker["message"]}
        for blocker in error.blockers
    ]
    return Problem(409, errors[0]["code"], errors[0]["message"], errors)


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
