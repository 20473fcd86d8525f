"""In which encoding a file is written: told, marked, proved, or asked for; never guessed.

UTF-8 proves itself, UTF-16 and UTF-32 carry a mark. Anything else could be one of a dozen
encodings in which the same bytes are other letters. Windows-1252 (of which Latin-1 is a part,
for text) is taken for a file that cannot be UTF-8 only where nothing speaks against it;
otherwise the person who imports has to name the encoding, because a wrong guess ruins names
without anybody noticing. What cannot be told apart by looking (a Hungarian ő that is a Western
õ) is told: the encoding that was taken stands in every report.
"""

import codecs
import re
from typing import BinaryIO, NamedTuple

from .errors import FileError

CHUNK = 1 << 18

# Codecs that are text and that real programs write. A closed list: Python also offers codecs
# that are not character sets, or that smuggle (UTF-7).
_NAMES = """
    ascii utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be
    cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
    iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8
    iso8859-9 iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16
    cp437 cp850 cp852 cp858 cp865 cp866 mac-roman mac-latin2 koi8-r koi8-u
    shift_jis cp932 euc-jp gb18030 gbk gb2312 big5 euc-kr cp949
"""
KNOWN = frozenset(codecs.lookup(name).name for name in _NAMES.split())

_MARKS = (
    # The four-byte marks first: the little-endian one begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_LETTERS = "A-Za-zÀ-ÖØ-öø-ÿŠŒŽšœžŸ"
# Read as Windows-1252, these betray another encoding: three accented letters in a row (other
# scripts), a sign inside a word (Central Europe, DOS), an opening sign or a capital right after
# a letter (DOS, old Macintosh), and control characters.
_DOUBTFUL = re.compile(
    "[À-ÖØ-öø-ÿŠŒŽšœžŸ]{3}"
    f"|[{_LETTERS}][€‚ƒ„…†‡ˆ‰‹“”•˜™›¡¢£¤¥¦§¨©ª«¬®¯°±²³µ¶¸¹º»¼½¾¿×÷][{_LETTERS}]"
    f"|[{_LETTERS}][‚„ƒ†ˆ˜‹]"
    "|[a-z][ŠŒŽŸ]|Ÿ[a-z]"
    "|[\x00-\x08\x0e-\x1f]"
)
# These letters have the same bytes in Western and in Central European Windows; they are common
# only there. Beside them, a letter that differs between the two cannot be trusted.
_CENTRAL_EUROPEAN = frozenset("ŠŽšž")
_UNLIKE_CENTRAL_EUROPE = frozenset(
    letter
    for letter in bytes(range(0xC0, 0x100)).decode("cp1252")
    if letter.isalpha() and letter.encode("cp1252").decode("cp1250") != letter
)
# The bytes of a letter in UTF-8; where they occur, the file is UTF-8 with a fault in it.
_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}")


class Charset(NamedTuple):
    """`name` is what people are told, `codec` what the file is opened with."""

    name: str
    codec: str


class _Fault(NamedTuple):
    byte: int
    line: int
    value: int
    at_the_end: bool
    letters_before: bool


def settle(stream: BinaryIO, given: str | None = None, *, fallback: bool = True) -> Charset:
    """Find the encoding of a whole file and prove that every byte of it can be read.

    `given` wins over everything but the byte order mark of its own kind. `fallback=False`
    leaves out Windows-1252 (JSON is Unicode by definition). Raises FileError with the position
    of the first byte that does not fit and the line it is in.
    """
    if given:
        charset = _named(given)
        fault = _first_fault(stream, charset.codec)
        if fault:
            raise FileError(
                f"byte {fault.byte} (0x{fault.value:02x}) cannot be read as {charset.name}",
                line=fault.line,
            )
        return charset
    stream.seek(0)
    start = stream.read(4)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    charset = _named(marked or "utf-8")
    fault = _first_fault(stream, charset.codec)
    if fault is None:
        return charset
    where = f"byte {fault.byte} (0x{fault.value:02x}) is not {charset.name}"
    if marked or not fallback:
        raise FileError(where, line=fault.line)
    reason = _reason_against_cp1252(stream, fault)
    if reason:
        message = f"{where}, and {reason}; name the encoding of the file"
        raise FileError(message, line=fault.line, asks="encoding")
    return Charset("cp1252", "cp1252")


def _named(given: str) -> Charset:
    try:
        name = codecs.lookup(given).name
    except (LookupError, ValueError):
        name = None
    if name not in KNOWN:
        raise FileError(f"unknown encoding “{given}”; examples are utf-8, cp1252, iso8859-15")
    if name in ("utf-8", "utf-8-sig"):
        return Charset("utf-8", "utf-8-sig")
    return Charset(name, name)


def _first_fault(stream: BinaryIO, codec: str) -> _Fault | None:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(codec)()
    read = lines = 0
    letters = False
    while True:
        chunk = stream.read(CHUNK)
        read += len(chunk)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as fault:
            # fault.object is this chunk with what was left over from the one before.
            before = fault.object[: fault.start].decode(fault.encoding, "ignore")
            return _Fault(
                byte=read - len(fault.object) + fault.start,
                line=lines + before.count("\n") + 1,
                value=fault.object[fault.start],
                at_the_end=not chunk,
                letters_before=letters or not before.isascii(),
            )
        letters = letters or not text.isascii()
        lines += text.count("\n")
        if not chunk:
            return None


def _reason_against_cp1252(stream: BinaryIO, fault: _Fault) -> str | None:
    if fault.at_the_end:
        return "a letter at the end of the file is cut off"
    if fault.letters_before:
        return "the text before it is: the file is damaged, or mixes encodings"
    stream.seek(0)
    letters: set[str] = set()
    tail = b""
    while chunk := stream.read(CHUNK):
        piece = tail + chunk
        # A few bytes again, so that what lies across two chunks is seen whole.
        tail = chunk[-3:]
        if _UTF8_LETTER.search(piece):
            return "other letters in it are: the file is damaged, or mixes encodings"
        try:
            text = piece.decode("cp1252")
        except UnicodeDecodeError:
            return "it is not Windows-1252 either"
        if _DOUBTFUL.search(text):
            return "read as Windows-1252 it has signs where letters should be"
        letters.update(text)
        if letters & _CENTRAL_EUROPEAN and letters & _UNLIKE_CENTRAL_EUROPE:
            return "it may be Western (cp1252) or Central European (cp1250)"
    return None
