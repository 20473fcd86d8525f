"""The settings of a business as people read them: in sections, with words for names and choices.

What stands in no section here comes last, under its plain name: a new setting is never missing.
"""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tenancy.tenant_settings import TABLE

SECTIONS = (
    (
        _("Registering and signing in"),
        ("self_registration", "activation_method", "allow_profile_edits", "require_start_level"),
    ),
    (
        _("Privacy"),
        ("mask_contacts", "log_reads", "allow_anonymous_check", "uniform_answers"),
    ),
    (
        _("Messages to customers"),
        ("locale", "level_messages", "sms_per_day", "sms_countries"),
    ),
    (
        _("Levels"),
        (
            *("tier_by", "exclude_delivery", "downgrade_mode", "downgrade_base", "downgrade_days"),
            "reset_points_on_downgrade",
        ),
    ),
    (
        _("Points"),
        (
            *("points_expire", "points_days", "points_lock_days", "spend_order"),
            *("statuses_earning", "statuses_spending", "newsletter_points"),
            "seller_points_ceiling",
        ),
    ),
    (
        _("Connected systems"),
        ("require_if_match", "external_customer_search", "external_search_url"),
    ),
)

LABELS = {
    "activation_method": _("New customers prove themselves by"),
    "self_registration": _("Customers register themselves"),
    "allow_profile_edits": _("Customers edit their own profile"),
    "allow_anonymous_check": _("Anyone may ask whether a contact is known"),
    "uniform_answers": _("Same answers for known and unknown"),
    "log_reads": _("Write down who looks at a customer"),
    "mask_contacts": _("Sellers see contact data masked"),
    "require_if_match": _("Changes name the version they saw"),
    "merge_undo_days": _("A merge can be undone for (days)"),
    "locale": _("Language"),
    "sms_per_day": _("SMS a day, at most"),
    "sms_countries": _("SMS go to"),
    "tier_by": _("Levels are decided by"),
    "exclude_delivery": _("Levels without delivery cost"),
    "downgrade_mode": _("Going down again"),
    "downgrade_base": _("Points that count for it"),
    "downgrade_days": _("A level is kept for (days)"),
    "reset_points_on_downgrade": _("Points expire with it"),
    "points_expire": _("Points expire"),
    "points_days": _("Points are valid for (days)"),
    "points_lock_days": _("New points are held back for (days)"),
    "spend_order": _("Spent first"),
    "statuses_earning": _("Who earns points"),
    "statuses_spending": _("Who spends points"),
    "newsletter_points": _("Points for the newsletter"),
    "seller_points_ceiling": _("A seller adjusts at most"),
    "level_messages": _("Write about a new level"),
    "require_start_level": _("Only with a level to start on"),
    "external_customer_search": _("Search elsewhere too"),
    "external_search_url": _("Address of that search"),
}

CHOICES = {
    "activation_method": {
        "none": _("nothing: they are active at once"),
        "email": _("a link by e-mail"),
        "sms": _("a code by SMS"),
    },
    "locale": {"en": "English", "nb": "Norsk bokmål"},
    "tier_by": {
        "transactions": _("the amount that was bought"),
        "points": _("points"),
    },
    "downgrade_mode": {
        "none": pgettext_lazy("downgrade", "never"),
        "automatic": _("as soon as it no longer qualifies"),
        "after_x_days": _("when it is looked at again, after some days"),
    },
    "downgrade_base": {
        "none": pgettext_lazy("points", "none"),
        "active_points": _("the points there are"),
        "earned_points": _("all points ever earned"),
        "earned_points_since_last_level_change": _("points earned since the last change of level"),
    },
    "points_expire": {
        "never": pgettext_lazy("points expire", "never"),
        "after_x_days": _("some days after they were earned"),
        "end_of_month": _("at the end of the month"),
        "end_of_year": _("at the end of the year"),
    },
    "spend_order": {
        "soonest_expiry": _("those that expire next"),
        "oldest": _("the oldest"),
    },
}
STATUSES = {"new": _("New"), "active": _("Active"), "blocked": _("Blocked")}
CHOICES |= {"statuses_earning": STATUSES, "statuses_spending": STATUSES}


def label_of(setting):
    """The name of a setting for people."""
    return LABELS.get(setting.name) or setting.name.replace("_", " ").capitalize()


def choices_of(setting):
    """(value, words) of what a setting may be."""
    words = CHOICES.get(setting.name, {})
    return [(choice, words.get(choice, choice)) for choice in setting.choices]


def sections():
    """(title, names of settings) with every setting of the table in one of them."""
    known = {setting.name for setting in TABLE}
    placed = {name for _title, names in SECTIONS for name in names}
    rest = [setting.name for setting in TABLE if setting.name not in placed]
    found = [(title, [name for name in names if name in known]) for title, names in SECTIONS]
    return [(title, names) for title, names in (*found, (_("Further"), rest)) if names]
