"""The columns of a file of purchases, by our names and by the words that people write above them.

Whose the purchase is: `customer` (an id), `external_id`, `card_number`, `email`, `phone`,
`username`, `customer_number`. What it is: the names of a transaction. Its articles, one per row:
`line_sku`, `line_name`, `line_quantity`, `line_amount`, `line_category`, `line_maker`; in JSON also
`lines`, a list of objects.
"""

import difflib
import re

from customers.imports.errors import MappingError
from customers.imports.guessing import Unmapped, fold
from customers.imports.mapping_file import MappingFile
from customers.imports.rules import Rule
from customers.imports.targets import DECIMAL, MOMENT, REASON, TEXT, Target
from loyalty.models import TransactionLine

# How customers are matched -> the column that says so; the first that a row fills is taken.
MATCHES = {
    "id": "customer",
    "external_id": "external_id",
    "card_number": "card_number",
    "email": "email",
    "phone": "phone",
    "username": "username",
    "number": "customer_number",
}
LINE = "line_"
TARGETS = {
    name: Target(name, type_, (name,))
    for name, type_ in {
        **dict.fromkeys(MATCHES.values(), TEXT),
        "number": TEXT,
        "kind": TEXT,
        "revises": TEXT,
        "purchased_at": MOMENT,
        "amount": DECIMAL,
        "delivery_amount": DECIMAL,
        "excluded_amount": DECIMAL,
        "currency": TEXT,
        "store": TEXT,
        "lines": "objects",
        **{LINE + name: TEXT for name in TransactionLine.FIELDS},
        "line_quantity": DECIMAL,
        "line_amount": DECIMAL,
    }.items()
}

# Whose the purchase is, whatever the key: `--match` says which; else the other system's own key.
_WHOSE = (
    "customerid customer customerno customernr customernumber customercode custid custno custcode"
    " client clientid clientno clientcode member memberid memberno userid user kunde kundenid"
    " kundennr kundennummer kundenr kundenummer kundeid medlemsnummer mitgliedsnummer idclient"
    " codeclient numeroclient"
)
WHOSE = frozenset(_WHOSE.split())
WORDS = {
    word: target
    for target, words in {
        "card_number": "cardno cardid card loyaltycard loyaltynumber membercard kundenkarte"
        " kartennummer kortnummer cartefidelite",
        "email": "mail emailaddress customeremail clientemail epost epostadresse emailadresse"
        " courriel",
        "phone": "phonenumber telephone mobile mobilephone customerphone telefon telefonnummer tlf"
        " mobil",
        "username": "login loginname",
        "number": "transactionid transactionno transactionnumber orderid orderno ordernumber order"
        " invoiceid invoiceno invoicenumber invoice receiptid receiptno receiptnumber receipt"
        " documentno documentnumber saleid saleno salenumber ticket bon bonnr bonnummer beleg"
        " belegnr belegnummer rechnung rechnungsnr rechnungsnummer auftragsnummer bestellnummer"
        " kvittering kvitteringsnummer faktura fakturanummer ordrenummer numerofacture"
        " numerocommande",
        "kind": "type transactiontype documenttype saletype art belegart",
        "revises": "returnof reviseddocument revisednumber originalorder originalinvoice"
        " originalnumber originalreceipt refundof",
        "purchased_at": "date datetime timestamp orderdate invoicedate transactiondate saledate"
        " salesdate purchasedate purchased receiptdate datum rechnungsdatum belegdatum kaufdatum"
        " bestelldatum dato kjopsdato ordredato fakturadato datefacture datecommande dateachat",
        "amount": "total totalamount amounttotal grandtotal ordertotal invoicetotal saletotal"
        " totalprice totalvalue grosstotal nettotal gross net grossamount netamount grossvalue"
        " value dollarvalue sales revenue betrag summe gesamt gesamtbetrag umsatz belop sum"
        " totalt montant total ttc totalttc",
        "delivery_amount": "deliverycost deliverycosts",
        "currency": "currencycode waehrung wahrung valuta devise",
        "store": "storecode shop shopcode branch pos till filiale butikk magasin",
        "line_sku": "sku articlenumber articleno itemnumber itemno productcode productid productno"
        " artikelnummer artikelnr varenummer reference",
        "line_name": "article product productname item itemname articlename artikel vare produit",
        "line_quantity": "quantity qty menge anzahl antall quantite",
        "line_amount": "linetotal lineprice itemtotal positionsbetrag",
        "line_category": "category productcategory kategorie kategori categorie",
        "line_maker": "maker brand manufacturer marke hersteller merke marque",
    }.items()
    for word in words.split()
}
# Only where no other column is the number, and another one says whose the purchase is.
WEAK_NUMBERS = frozenset({"id", "no", "nr"})


class PurchaseRule(Rule):
    """One rule of a mapping, over our columns."""

    @staticmethod
    def find(name):
        return TARGETS.get(name)

    @staticmethod
    def unknown(name):
        near = nearest(str(name))
        hint = f"; the nearest is “{near}”" if near else ""
        return f"“{name}” is not a column of purchases{hint}"


class PurchaseMappingFile(MappingFile):
    """A mapping file for purchases: the grammar of one for customers, over our columns."""

    rule = PurchaseRule
    match_keys = tuple(MATCHES)


def nearest(name):
    """The name of ours that looks most like `name`, or None where none comes near."""
    wanted = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    found = difflib.get_close_matches(wanted, TARGETS, n=1, cutoff=0.72)
    return found[0] if found else None


def guess_rules(header, given, match):
    """Rules for the columns that are understood, and the Unmapped rest.

    `given` are rules that somebody wrote: their columns and targets are taken. `match` is the key
    that was asked for, or None. Raises MappingError where two columns may be the same.
    """
    taken = {target: rule.label for rule in given for target in rule.to}
    free = [
        column
        for column in header
        if fold(column) != fold(REASON) and not any(column in rule.columns for rule in given)
    ]
    exact = {fold(name): name for name in TARGETS}
    meanings = {column: exact.get(fold(column)) for column in free}
    own = set(filter(None, meanings.values()))
    for column in free:
        if meanings[column] is None:
            guess = _meaning(fold(column), match)
            # A column under our own name comes before one that merely sounds like it.
            meanings[column] = None if guess in own else guess
    found = own | set(meanings.values()) | set(taken)
    if "number" not in found and found & set(MATCHES.values()):
        weak = [column for column in free if fold(column) in WEAK_NUMBERS]
        meanings |= dict.fromkeys(weak[:1], "number")
    rules, unmapped, filled = [], [], dict(taken)
    for column in free:
        target = meanings[column]
        if target is None or target in taken:
            reason = f"“{taken[target]}” already fills {target}" if target else ""
            unmapped.append(Unmapped(column, nearest(column), reason))
            continue
        if target in filled:
            raise MappingError(
                "",
                f"“{filled[target]}” and “{column}” may both be {target}; say which with "
                f"--map “{column}={target}” or in a mapping file",
            )
        filled[target] = column
        rules.append(PurchaseRule.plain(column, target))
    return rules, unmapped


def _meaning(word, match):
    if word in WHOSE:
        return MATCHES.get(match, "external_id")
    return WORDS.get(word)
