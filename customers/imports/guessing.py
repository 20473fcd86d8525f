"""The words that shops and people write above their columns, and what we call the same thing.

Read without regard to letter case, accents, spaces and signs, in English, with the common words
of German, French and Norwegian. Where a word could mean two things it is not in the tables:
a column that is not understood is named to the person, one that is misunderstood is not.
"""

import re
import unicodedata
from typing import Any, NamedTuple

from .converting import FALSE_WORDS, SALUTATIONS, TRUE_WORDS
from .targets import READ_ONLY, TARGETS, find_target, nearest

_STROKES = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ł": "l"})


class Unmapped(NamedTuple):
    """A column that was not taken: the nearest name of ours, and the reason where one is known."""

    column: str
    nearest: str | None
    reason: str = ""


def fold(name: str) -> str:
    """A header without letter case, accents, spaces and signs."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_STROKES))
    return "".join(character for character in plain if character.isalnum())


def _table(text: str) -> dict[str, str]:
    table = {}
    for line in text.strip().splitlines():
        target, _, words = line.partition(":")
        table.update(dict.fromkeys(words.split(), target.strip()))
    return table


_WORDS = _table("""
external_id: externalid externalref extid customerid customerno customernr customernumber custno
external_id: custid custnumber customercode customerref clientid clientno clientnumber clientcode
external_id: memberid memberno membernumber uniqueid recid recordid reference referenceid refno
external_id: kundennummer kundennr kundenid kundenr kundenummer kundeid medlemsnummer
external_id: mitgliedsnummer numeroclient nclient noclient idclient codeclient userid kdnr kundnr
external_id: contactid
username: login loginname userlogin benutzername brukernavn identifiant
card_number: cardno cardid loyaltycard loyaltycardnumber loyaltynumber loyaltyid membercard
card_number: kundenkarte kundenkartennummer kartennummer kortnummer cartefidelite numerocarte
name: fullname displayname customername clientname navn fulltnavn nom nomcomplet vollername
first_name: firstname fname forename givenname christianname vorname rufname fornavn prenom
last_name: lastname lname surname familyname secondname nachname familienname zuname etternavn
last_name: nomdefamille
company_name: company companyname business businessname organisation organization organisationname
company_name: organizationname firm firma firmenname firmanavn bedrift societe entreprise
company_name: raisonsociale unternehmen
gender: sex geschlecht kjonn sexe genre
birth_date: birthdate birthday dateofbirth dob bday born geburtsdatum geburtstag fodselsdato
birth_date: gebdatum gebdat fodselsdag datedenaissance datenaissance anniversaire
language: lang locale languagecode preferredlanguage sprache sprak langue
vat_number: vat vatno vatid vatnr vatregistrationnumber taxid taxnumber taxvat ustid ustidnr
vat_number: umsatzsteuerid mvanummer orgnr orgnummer organisasjonsnummer numerotva tvaintra
created_at: created createdon createdat createdate createddate createdtime datecreated creationdate
created_at: registered
created_at: registeredat registrationdate dateregistered signup signupdate signedup joined
created_at: joindate datejoined customersince membersince dateadded angelegtam erstelltam
created_at: anlagedatum registriertam opprettet datecreation dateinscription
discount_percent: discount discountrate discountpct rabatt remise
payment_terms_days: paymentterms paymenttermsdays termsdays zahlungsziel betalingsfrist
credit_limit: creditlimit kreditlimit kredittgrense
price_list: pricelist pricelevel pricegroup preisliste prisliste
internal_note: note notes comment comments remark remarks memo internalnote internalnotes
internal_note: customernote bemerkung bemerkungen notiz notizen kommentar anmerkung merknad
internal_note: commentaire remarques
consent_marketing: newsletter acceptsmarketing marketing marketingconsent marketingoptin optin
consent_marketing: emailoptin emailmarketing acceptsemailmarketing subscribed nyhetsbrev
consent_marketing: infolettre werbeeinwilligung
no_email: donotemail noemails hasoptedoutofemail emailoptout optedoutofemail
e_invoice: einvoiceenabled einvoicing ehf
tags: tag schlagworte stikkord etiquettes
groups: group customergroup customergroups segment segments kundengruppe kundengruppen gruppe
groups: kundegruppe groupe groupes
email: mail emailaddress emailaddr mailaddress epost epostadresse emailadresse courriel
email: adressemail adresseemail
phone: phonenumber phoneno telephone telephonenumber tel telno telefon telefonnummer telefonnr
phone: rufnummer tlf tlfnr contactnumber contactphone dayphone daytimephone numerotelephone
mobile_phone: mobile mobileno mobilenumber mobilephone mobilephonenumber cell cellphone
mobile_phone: cellnumber cellular handy handynummer mobiltelefon mobil mobilnummer mobilnr
mobile_phone: portable telephoneportable sms
home_phone: homephonenumber phonehome privatephone telefonprivat eveningphone
work_phone: workphonenumber phonework businessphone officephone telefongeschaeftlich
work_phone: telefongeschaftlich telefonarbeit
other_phone: fax faxnumber faxno telefax faks otherphone
""")

_ADDRESS_WORDS = _table("""
street: address address1 addressline1 addressline street1 streetaddress streetaddress1
street: streetname addressstreet addr addr1 adresse adresse1 anschrift strasse gate gateadresse
street: rue vei
street2: address2 addressline2 streetaddress2 addr2 adresse2 adresszusatz apartment suite
street2: complementadresse
street3: address3 addressline3 streetaddress3 addr3 adresse3
city: town citytown suburb locality addresscity ort stadt wohnort ville by poststed sted commune
state: region province county stateprovince stateregion provincecode statecode addressstate
state: bundesland fylke
postal_code: postcode postalcode zip zippostal postalzipcode zipcode postzip postalzip plz
postal_code: postleitzahl codepostal
postal_code: postnummer postnr addresszip pincode eircode
country: countrycode countryid countryname countryregion nation addresscountry land staat pays
company: companyname
first_name: firstname
last_name: lastname surname
phone: telephone phonenumber
email: emailaddress
latitude: lat
longitude: lng lon long
""")
_ADDRESS_PREFIXES = _table("""
billing: billingaddress billto billing bill invoiceaddress invoice rechnungs rechnung faktura
billing: facturation
shipping: shippingaddress shipto shipping ship deliveryaddress delivery liefer levering livraison
home: homeaddress home physicaladdress physical
work: workaddress work businessaddress business
""")
# Words before the thing itself that say nothing about which thing it is.
_EMPTY_PREFIXES = ("customer", "client", "kunden", "kunde", "member", "user", "primary", "main",
                   "default", "defaultaddress", "mailing", "your")  # fmt: skip
_NUMBER_FIRST = frozenset({"streetnumber", "streetno", "housenumber", "houseno", "numerorue"})
_NUMBER_LAST = frozenset({"hausnummer", "hausnr", "husnummer", "husnr", "huisnummer"})
_CONTACT_NAMES = frozenset({"contactname", "contactperson", "contact", "ansprechpartner",
                            "kontaktperson", "nomcontact"})  # fmt: skip
_SALUTATION_WORDS = frozenset({"salutation", "titleofcourtesy", "anrede", "civilite", "tiltale",
                               "socialtitle"})  # fmt: skip
_ACTIVE_WORDS = frozenset({"active", "isactive", "enabled", "aktiv", "actif"})
# A foreign file's own key; taken only where no other column says "customer number".
_WEAK_KEYS = frozenset({"id", "number", "no", "nr", "key", "code", "pk"})
_PASSWORDS = frozenset({"password", "passwordhash", "passwd", "userpass", "passwort", "motdepasse",
                        "passord", "rptoken", "pwhash"})  # fmt: skip
# The columns of an address book: “E-mail 1 - Value”, “E-mail 2 Address”, “Address 1 - Street”.
_NUMBERED = re.compile(
    r"(email|phone)([1-9])(?:value|address)|address1(street|city|region|postalcode|country)"
)

_CANONICAL = {fold(name): name for name in TARGETS if name not in ("id", "number", "contact_phone")}
_STATUS_BY_FLAG = {
    **dict.fromkeys(sorted(TRUE_WORDS), "active"),
    **dict.fromkeys(sorted(FALSE_WORDS), "blocked"),
}


def guess_columns(header: list[str]) -> tuple[list[dict[str, Any]], list[Unmapped]]:
    """The parts of a Rule for every column that is understood, and the other columns."""
    return _Guess(header).result()


class _Guess:
    def __init__(self, header: list[str]):
        self.header = header
        self.rules: dict[str, dict[str, Any]] = {}
        self.taken: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def result(self) -> tuple[list[dict[str, Any]], list[Unmapped]]:
        later = []
        # A column under our own name comes before one that merely sounds like it.
        for column in self.header:
            target = _CANONICAL.get(fold(column))
            # `contact_email` of a person's file is no contact person of a company.
            if target and (column in TARGETS or not target.startswith("contact_")):
                self.take(column, target)
        for column in self.header:
            if column not in self.rules and not self.recognise(column):
                later.append(column)
        self.names()
        for column in later:
            self.special(column)
        self.house_numbers()
        rules = [self.rules[column] for column in self.header if column in self.rules]
        if "company_name" in self.taken and not self.taken.keys() & {
            "first_name", "last_name", "name", "kind",
        }:  # fmt: skip
            rules.append({"columns": (), "to": ("kind",), "constant": "company"})
        unmapped = [
            Unmapped(column, nearest(column), self.reasons.get(column, ""))
            for column in self.header
            if column not in self.rules and column not in self.joined
        ]
        return rules, unmapped

    def take(self, column: str, *to: str, **parts: Any) -> bool:
        for target in to:
            if target in self.taken:
                self.reasons[column] = f"“{self.taken[target]}” already fills {target}"
                return False
        self.rules[column] = {"columns": (column,), "to": to, **parts}
        self.taken.update(dict.fromkeys(to, column))
        return True

    def recognise(self, column: str) -> bool:
        for word in _spellings(column):
            if word in _PASSWORDS:
                self.reasons[column] = READ_ONLY["password"]
                return False
            target = _meaning(word)
            if target is None:
                base, slot = re.fullmatch(r"(.*?)(\d?)", word).groups()
                target = _meaning(base) if slot else None
                if target in ("email", "phone"):
                    target = target if slot == "1" else f"{target}_{slot}"
                else:
                    continue
            if find_target(target):
                return self.take_next(column, target)
        return False

    def take_next(self, column: str, target: str) -> bool:
        """A second e-mail or phone under another word takes the next slot."""
        if target in ("email", "phone"):
            slots = (target, *(f"{target}_{number}" for number in range(2, 10)))
            target = next((slot for slot in slots if slot not in self.taken), target)
        return self.take(column, target)

    def names(self) -> None:
        """“Vorname, Name”: beside a first name alone, the name is the last name."""
        if "first_name" in self.taken and "last_name" not in self.taken and "name" in self.taken:
            column = self.taken.pop("name")
            del self.rules[column]
            self.take(column, "last_name")

    def special(self, column: str) -> None:
        for word in _spellings(column):
            if word in _CONTACT_NAMES:
                if "company_name" in self.taken:
                    self.take(
                        column, "contact_first_name", "contact_last_name", split=" ", at="last"
                    )
                elif not self.taken.keys() & {"first_name", "last_name"}:
                    self.take(column, "name")
            elif word in _SALUTATION_WORDS:
                self.take(column, "gender", values=SALUTATIONS, otherwise="blank")
            elif word in _ACTIVE_WORDS:
                self.take(column, "status", values=_STATUS_BY_FLAG)
            elif word in _WEAK_KEYS:
                self.take(column, "external_id")
            if column in self.rules:
                return

    @property
    def joined(self) -> set[str]:
        return {column for rule in self.rules.values() for column in rule["columns"]}

    def house_numbers(self) -> None:
        street = self.taken.get("street")
        for column in self.header:
            word = fold(column)
            if street is None or column in self.rules or len(self.rules[street]["columns"]) > 1:
                continue
            if word in _NUMBER_FIRST:
                self.rules[street]["columns"] = (column, street)
            elif word in _NUMBER_LAST:
                self.rules[street]["columns"] = (street, column)


def is_secret(column: str) -> bool:
    """Whether a header says that its cells hold passwords or their hashes."""
    return any(word in _PASSWORDS for word in _spellings(column))


def _spellings(column: str) -> list[str]:
    """The folded header, and without a remark in brackets and a word that says nothing."""
    bare = re.sub(r"\(.*?\)|\[.*?\]", " ", column)
    words = [fold(column), fold(bare)]
    for word in tuple(words):
        words += [
            word[len(prefix) :]
            for prefix in _EMPTY_PREFIXES
            if word.startswith(prefix) and len(word) > len(prefix) + 1
        ]
    return list(dict.fromkeys(filter(None, words)))


def _meaning(word: str) -> str | None:
    if word in _WORDS:
        return _WORDS[word]
    if numbered := _NUMBERED.fullmatch(word):
        name, slot, field = numbered.groups()
        return _ADDRESS_WORDS.get(field, field) if field else f"{name}_{slot}".removesuffix("_1")
    canonical = _CANONICAL.get(word)
    if canonical and not canonical.startswith("contact_"):
        return canonical
    if word in _ADDRESS_WORDS and _ADDRESS_WORDS[word] in TARGETS:
        return _ADDRESS_WORDS[word]
    for prefix, kind in _ADDRESS_PREFIXES.items():
        rest = word[len(prefix) :]
        if not word.startswith(prefix):
            continue
        if not rest and prefix.endswith("address"):
            return f"{kind}_street"
        bare = rest.removeprefix("s").removeprefix("adresse").removeprefix("anschrift")
        for spelling in (rest, bare, f"address{rest}"):
            field = _ADDRESS_WORDS.get(spelling) or _CANONICAL.get(spelling)
            if field and find_target(f"{kind}_{field}"):
                return f"{kind}_{field}"
    return None
