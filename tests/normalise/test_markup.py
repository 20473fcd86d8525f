"""XML that nobody should have written is refused before it does anything."""

import io

import pytest

from normalise.markup import FORBIDDEN, MAX_TEXT, Bounded, MarkupRefused, read_markup

LAUGHS = '<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'


class Collector(Bounded):
    """Remembers what it is told."""

    def __init__(self):
        super().__init__()
        self.told = []

    def begin(self, name):
        self.told.append(("begin", name, self.depth))

    def hear(self, text):
        self.bound(text)
        self.told.append(("hear", text))

    def finish(self):
        self.told.append(("finish", self.depth))


def read(document):
    handler = Collector()
    raw = document.encode() if isinstance(document, str) else document
    for _step in read_markup(io.BytesIO(raw), handler):
        pass
    return handler.told


def test_elements_are_told_by_their_local_names():
    assert read('<x:a xmlns:x="urn:x">b<![CDATA[<c]]><d/></x:a>') == [
        ("begin", "a", 1),
        ("hear", "b"),
        ("hear", "<c"),
        ("begin", "d", 2),
        ("finish", 2),
        ("finish", 1),
    ]


@pytest.mark.parametrize(
    ("document", "part"),
    [
        (LAUGHS, FORBIDDEN),
        ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", FORBIDDEN),
        ("<a>" * 33, "levels"),
        ("<a " + " ".join(f"a{n}='1'" for n in range(65)) + "/>", "attributes"),
        ("<a>" + "x" * (MAX_TEXT + 1), "longer than"),
        ("<a b='" + "x" * 3_000_000, "too long"),
    ],
)
def test_what_could_fill_the_memory_or_fetch_something_is_refused(document, part):
    with pytest.raises(MarkupRefused) as refusal:
        read(document)

    assert part in refusal.value.message


@pytest.mark.parametrize("document", ["<a>", "<a></b>", "text", "<a>&b;</a>", "<a>&#0;</a>"])
def test_what_is_no_xml_is_told_as_such(document):
    with pytest.raises(MarkupRefused) as refusal:
        read(document)

    assert (refusal.value.message, refusal.value.encoding) == (None, False)


def test_an_encoding_that_nobody_knows_is_told_as_such():
    with pytest.raises(MarkupRefused) as refusal:
        read(b'<?xml version="1.0" encoding="nothing"?><a/>')

    assert refusal.value.message is None
