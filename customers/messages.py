"""The words of messages to customers, by language."""

TEXTS = {
    "en": {
        "activate_email": (
            "Activate your account with {business}",
            "Welcome to {business}!\n\nOpen this page to activate your account:\n{link}\n\n"
            "The link works for {hours} hours.",
        ),
        "activate_sms": (
            "{business}: your activation code is {code}. It works for {minutes} minutes."
        ),
        "change_email": (
            "Confirm your new e-mail address",
            "{business}: your code is {code}. It works for {minutes} minutes.",
        ),
        "change_phone": "{business}: your code is {code}. It works for {minutes} minutes.",
        "reset_password": (
            "Choose a new password for {business}",
            "Open this page to choose a new password:\n{link}\n\nThe link works for {hours} hours. "
            "If you did not ask for it, nothing has changed.",
        ),
    },
    "nb": {
        "activate_email": (
            "Aktiver kontoen din hos {business}",
            "Velkommen til {business}!\n\nÅpne denne siden for å aktivere kontoen din:\n{link}\n\n"
            "Lenken virker i {hours} timer.",
        ),
        "activate_sms": (
            "{business}: aktiveringskoden din er {code}. Den virker i {minutes} minutter."
        ),
        "change_email": (
            "Bekreft den nye e-postadressen din",
            "{business}: koden din er {code}. Den virker i {minutes} minutter.",
        ),
        "change_phone": "{business}: koden din er {code}. Den virker i {minutes} minutter.",
        "reset_password": (
            "Velg et nytt passord hos {business}",
            "Åpne denne siden for å velge et nytt passord:\n{link}\n\nLenken virker i {hours} "
            "timer. Hvis du ikke ba om den, er ingenting endret.",
        ),
    },
}


def message(purpose, *, locale, **words):
    """(subject, text) of a mail, or ("", text) of an SMS, in `locale` or else in English."""
    texts = TEXTS.get(locale, TEXTS["en"])[purpose]
    subject, text = texts if isinstance(texts, tuple) else ("", texts)
    return subject.format(**words), text.format(**words)
