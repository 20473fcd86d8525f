"""Why a customer is on a level, in one or two plain sentences, in English and Norwegian."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

import normalise
from loyalty.amounts import number_out
from loyalty.programme import EARNED_BASES

LOCALES = {"en": "en_GB", "nb": "nb_NO"}
TEXTS = {
    "en": {
        "none": "On no level, with {amount}.",
        "assigned": "{level} since {since}, assigned by hand.",
        "start": "{level} since {since}, where everybody starts.",
        "earned": "{level} since {since} because of {amount}; it begins at {threshold}.",
        "kept": "{level} since {since}, kept with {amount} although it begins at {threshold}.",
        "missing": "{next} needs {missing} more",
        "top": "There is no higher level",
        "again": "looked at again on {again}",
        "falls": "looked at again on {again}, then {then} unless more is collected",
        "purchases": "purchases of {amount}",
        "points": "{n} points",
        "point": "1 point",
        "points_since": "{points} earned since {since}",
        "no_level": "no level",
    },
    "nb": {
        "none": "Uten nivå, med {amount}.",
        "assigned": "{level} siden {since}, tildelt for hånd.",
        "start": "{level} siden {since}, der alle begynner.",
        "earned": "{level} siden {since} på grunn av {amount}; nivået begynner på {threshold}.",
        "kept": "{level} siden {since}, beholdt med {amount} selv om nivået begynner på "
        "{threshold}.",
        "missing": "{next} krever {missing} til",
        "top": "Det finnes ikke noe høyere nivå",
        "again": "vurderes på nytt {again}",
        "falls": "vurderes på nytt {again}, da {then} hvis ikke mer blir samlet",
        "purchases": "kjøp for {amount}",
        "points": "{n} poeng",
        "point": "1 poeng",
        "points_since": "{points} tjent siden {since}",
        "no_level": "uten nivå",
    },
}


def explain(status, language="en"):
    """The sentences of a Status in "en" or "nb"; any other language gets English."""
    return _Words(status, language if language in TEXTS else "en").sentences()


class _Words:
    def __init__(self, status, language):
        self.status = status
        self.language = language
        self.texts = TEXTS[language]
        self.locale = LOCALES[language]

    def sentences(self):
        return f"{self._why()} {self._next()}."

    def _why(self):
        status = self.status
        if status.level is None:
            return self._say("none", amount=self._counted())
        words = {"level": self._name(status.level), "since": self._day(status.level_since)}
        if status.is_assigned:
            return self._say("assigned", **words)
        if not status.level.threshold:
            return self._say("start", **words)
        key = "earned" if status.counted >= status.level.threshold else "kept"
        threshold = self._amount(status.level.threshold)
        return self._say(key, amount=self._counted(), threshold=threshold, **words)

    def _next(self):
        status = self.status
        if status.next_level is None:
            said = self._say("top")
        else:
            missing, ahead = self._amount(status.missing), self._name(status.next_level)
            said = self._say("missing", missing=missing, next=ahead)
        if status.looked_at_again is None:
            return said
        again = self._day(max(status.looked_at_again, status.at))
        if status.level_then == status.level:
            return f"{said}; {self._say('again', again=again)}"
        then = self._name(status.level_then) if status.level_then else self.texts["no_level"]
        return f"{said}; {self._say('falls', again=again, then=then)}"

    def _counted(self):
        status, programme = self.status, self.status.programme
        amount = self._amount(status.counted)
        if programme.by_transactions:
            return self._say("purchases", amount=amount)
        if programme.downgrade_base in EARNED_BASES:
            return self._say("points_since", points=amount, since=self._day(status.counted_since))
        return amount

    def _amount(self, hundredths):
        """What levels count, as money or points."""
        if not self.status.programme.by_points:
            return self._money(hundredths)
        number = number_out(hundredths)
        if number == 1:
            return self.texts["point"]
        return self._say("points", n=format_decimal(number, "#,##0.##", locale=self.locale))

    def _money(self, hundredths):
        currency = self.status.currency
        amount = Decimal(hundredths) / 100
        whole = amount == int(amount) or not normalise.minor_unit_places(currency)
        pattern = "#,##0 ¤" if self.language == "nb" else "¤¤ #,##0"
        if whole:
            return format_currency(
                amount, currency, pattern, locale=self.locale, currency_digits=False
            )
        return format_currency(amount, currency, pattern.replace("0", "0.00"), locale=self.locale)

    def _name(self, level):
        return level.told(self.language)[0]

    def _day(self, instant):
        if not isinstance(instant, datetime):
            return "–"
        day = instant.astimezone(ZoneInfo(self.status.programme.timezone)).date()
        return format_date(day, "long", locale=self.locale)

    def _say(self, key, **words):
        return self.texts[key].format(**words)
