"""What the background jobs are called by people; the names stay what configuration and logs say."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "customers.bulk_deed": _("Do a deed for many customers"),
    "customers.find_duplicates": _("Look for duplicates"),
    "customers.find_recent_duplicates": _("Look for duplicates of recent changes"),
    "customers.forget_drafts": _("Clear away deeds that were never confirmed"),
    "customers.forget_imports": _("Clear away the files of old imports"),
    "customers.forget_merges": _("Close merges whose time to undo is over"),
    "customers.forget_searches": _("End searches after erasures that nobody waits for"),
    "customers.import": _("Import customers"),
    "customers.order_recent_duplicates": _("See where to look for duplicates"),
    "customers.search_erased": _("Search for what is left of an erased customer"),
    "customers.try_import": _("Try an import"),
    "customers.undo_import": _("Undo an import"),
    "events.forget_expired": _("Clear away what has expired"),
    "events.prune": _("Clear away old events"),
    "events.tidy_jobs": _("Tidy up the jobs"),
    "loyalty.check_ledger": _("Add every balance up again"),
    "loyalty.expire_points": _("Expire points"),
    "loyalty.recalculate_levels": _("Recalculate levels"),
    "loyalty.unlock_points": _("Release points that were held back"),
    "messages.send": _("Send a message"),
    "messages.tidy": _("Clear away the log of messages"),
    "webhooks.send": _("Tell a webhook's receiver"),
    "webhooks.test": _("Test a webhook"),
    "webhooks.tick": _("Look for events to tell"),
}


def in_words(name):
    """What a person calls the job; its name where there are no words for it."""
    return str(WORDS.get(name, name))
