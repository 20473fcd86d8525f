"""Keep the catalogue of translated words: python -m config.translations [--check].

Without an option the words of the product are collected anew into locale/*/LC_MESSAGES/django.po
(new ones empty, gone ones removed, translations kept) and each catalogue is compiled. With
--check nothing is written: exit code 1, and a line for each reason, where a catalogue lacks a word,
holds one that nobody uses, changes a placeholder, or was not compiled since.

Babel does the work, so no other program is needed; Django's own words come with Django.
"""

import io
import re
import sys
from pathlib import Path

import django
import unfold
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
SOURCES = (
    *("api", "config", "customers", "dialects", "events", "groups"),
    *("loyalty", "normalise", "templates", "tenancy"),
)
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
# %(name)s and %s of a sentence that is filled in, {name} of one that is formatted.
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sdif]|\{\w*\}")


def source_files():
    """Yield every file that may hold words: ours, and those of the theme of the back office, which
    brings no catalogue of its own."""
    for root in (*(ROOT / name for name in SOURCES), Path(unfold.__file__).parent):
        for path in sorted([*root.rglob("*.py"), *root.rglob("*.html")]):
            if "migrations" not in path.parts:
                yield path


def words_of_django():
    """What Django translates itself, as a set of (message, context)."""
    root = Path(django.__file__).parent
    found = set()
    for path in [root / "conf", *(root / "contrib" / name for name in ("admin", "auth"))]:
        with (path / "locale" / "nb" / "LC_MESSAGES" / "django.po").open("rb") as file:
            found |= {(word.id, word.context) for word in read_po(file) if word.id}
    return found


def words_of(path):
    """Yield (message, context) of a file, message being a text or a (one, many) pair."""
    source = path.read_text("utf-8")
    if path.suffix == ".html":
        # Each word of a template becomes a call on one line; what is around it, blanks and filling.
        source = "\n".join(line.strip() for line in templatize(source).splitlines())
    found = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)
    for _line, message, _comments, context in found:
        if message and (message if isinstance(message, str) else message[0]):
            yield message, context


def collect():
    """All words of the product, as a catalogue without translations."""
    catalogue = Catalog(charset="utf-8")
    elsewhere = words_of_django()
    for path in source_files():
        for message, context in words_of(path):
            if (message, context) not in elsewhere:
                catalogue.add(message, context=context)
    return catalogue


def parts_of(text):
    """One text, or the singular and the plural, as a list; an absent translation is empty."""
    return [text or ""] if isinstance(text, str | None) else [part or "" for part in text]


def faults_of(catalogue, words):
    """Yield a sentence for each thing that is wrong with a catalogue of these words."""
    wanted = {(word.id, word.context) for word in words if word.id}
    present = {(word.id, word.context): word for word in catalogue if word.id}
    yield from (f"is not in the catalogue: {key[0]!r}" for key in wanted - present.keys())
    for key, word in present.items():
        if key not in wanted:
            yield f"is used nowhere: {key[0]!r}"
            continue
        texts = parts_of(word.string)
        if word.fuzzy or not all(texts):
            yield f"is not translated: {key[0]!r}"
        allowed = [sorted(PLACEHOLDER.findall(original)) for original in parts_of(word.id)]
        if any(sorted(PLACEHOLDER.findall(text)) not in allowed for text in texts if text):
            yield f"has other placeholders than the original: {key[0]!r}"


def compiled(catalogue):
    """The bytes of the compiled catalogue."""
    output = io.BytesIO()
    write_mo(output, catalogue)
    return output.getvalue()


def check(path, words):
    """Yield what is wrong with the catalogue at this path, compiled file included."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    yield from faults_of(catalogue, words)
    machine = path.with_suffix(".mo")
    if not machine.exists() or machine.read_bytes() != compiled(catalogue):
        yield "was not compiled since its last change"


def update(path, words):
    """Bring the catalogue at this path up to date; returns how many words wait for a translator."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parts[-3])
    catalogue.update(words, no_fuzzy_matching=True, keep_user_comments=False)
    catalogue.obsolete.clear()
    catalogue.fuzzy = False
    with path.open("wb") as file:
        write_po(file, catalogue, width=100, no_location=True, omit_header=False, sort_output=True)
    path.with_suffix(".mo").write_bytes(compiled(catalogue))
    return sum(1 for word in catalogue if word.id and not all(parts_of(word.string)))


def main(options):
    words = collect()
    failed = False
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        name = path.relative_to(ROOT)
        if options == ["--check"]:
            faults = sorted(check(path, words))
            failed = failed or bool(faults)
            sys.stdout.writelines(f"{name}: {fault}\n" for fault in faults)
        else:
            sys.stdout.write(
                f"{name}: {update(path, words)} of {len(words)} words wait for a translation\n"
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
