"""Files that were handed in: sealed from the first byte, readable by an import, gone in a week.

Nothing readable of them ever lies on a disk: what does not fit into memory is spooled sealed, and
the pieces in the database are sealed too (`tenancy.sealing`).
"""

import hashlib
import io
import tempfile
import uuid
import weakref
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from customers.models import ImportChunk, ImportFile, ImportPiece
from tenancy import clock
from tenancy.scoping import current_tenant
from tenancy.sealing import OVERHEAD, seal, unseal

PIECE = 1 << 20
KEPT = timedelta(days=7)
START = 4  # pieces that are enough for a look


class TooLarge(Exception):
    """The file has more bytes than an import may have; `limit` is how many that are."""

    def __init__(self, limit: int):
        super().__init__(f"at most {limit} bytes")
        self.limit = limit


class SealedSpool(io.RawIOBase):
    """A file to be read as often as one likes, of which only sealed pieces lie on the disk.

    Every piece but the last has PIECE bytes. Wrap it into a BufferedReader to read it by lines.
    """

    def __init__(self, about: str):
        super().__init__()
        self.about = about
        self.size = 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        weakref.finalize(self, self._file.close)
        self._place = 0
        self._open = (-1, b"")

    def add(self, plain: bytes) -> None:
        """Append a piece."""
        self.add_sealed(seal(plain, self._about(self.size // PIECE)))

    def add_sealed(self, sealed: bytes) -> None:
        """Append a piece that was sealed for its place already."""
        self._file.seek(0, io.SEEK_END)
        self._file.write(sealed)
        self.size += len(sealed) - OVERHEAD

    def sealed_pieces(self) -> Iterable[bytes]:
        """The pieces as they lie there."""
        self._file.seek(0)
        while sealed := self._file.read(PIECE + OVERHEAD):
            yield sealed

    def _about(self, number: int) -> str:
        return f"{self.about} {number}"

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer) -> int:
        if self._place >= self.size:
            return 0
        number, offset = divmod(self._place, PIECE)
        if self._open[0] != number:
            self._file.seek(number * (PIECE + OVERHEAD))
            sealed = self._file.read(PIECE + OVERHEAD)
            self._open = (number, unseal(sealed, self._about(number)))
        found = self._open[1][offset : offset + len(buffer)]
        buffer[: len(found)] = found
        self._place += len(found)
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()


class Intake:
    """Takes a file as it comes in; `finish` makes it an ImportFile of the active tenant.

    Raises TooLarge as soon as it has more than IMPORT_MAX_BYTES.
    """

    def __init__(self):
        self.id = uuid.uuid4()
        self.spool = SealedSpool(_about(self.id))
        self._digest = hashlib.sha256()
        self._left = b""
        self.n_bytes = 0

    def feed(self, chunk: bytes) -> None:
        self.n_bytes += len(chunk)
        if self.n_bytes > settings.IMPORT_MAX_BYTES:
            raise TooLarge(settings.IMPORT_MAX_BYTES)
        self._digest.update(chunk)
        waiting = self._left + chunk
        while len(waiting) >= PIECE:
            self.spool.add(waiting[:PIECE])
            waiting = waiting[PIECE:]
        self._left = waiting

    @property
    def digest(self) -> str:
        """The SHA-256 of what came in so far."""
        return self._digest.hexdigest()

    def plain_pieces(self) -> Iterable[bytes]:
        """What came in so far."""
        self.spool.seek(0)
        while piece := self.spool.read(PIECE):
            yield piece
        yield self._left

    def finish(self, name: str = "") -> ImportFile:
        """Keep it in the database, under the name that the sender gave it."""
        if self._left:
            self.spool.add(self._left)
            self._left = b""
        tenant, instant = current_tenant(), clock.now()
        with transaction.atomic():
            file = ImportFile.objects.create(
                id=self.id,
                tenant=tenant,
                name=Path(name).name[:255],
                size=self.spool.size,
                digest=self.digest,
                created_at=instant,
                expires_at=instant + KEPT,
            )
            for number, sealed in enumerate(self.spool.sealed_pieces()):
                ImportPiece.objects.create(tenant=tenant, file=file, number=number, sealed=sealed)
        return file


def keep_file(chunks: Iterable[bytes]) -> ImportFile:
    """Keep a file that comes in pieces of any length. Raises TooLarge."""
    intake = Intake()
    try:
        for chunk in chunks:
            intake.feed(chunk)
        return intake.finish()
    finally:
        intake.spool.close()


def open_file(file: ImportFile, name: str = "") -> io.BufferedReader:
    """The bytes of a kept file, to be read and sought in; `name` tells its format to who asks."""
    spool = SealedSpool(_about(file.pk))
    pieces = ImportPiece.objects.filter(file=file).order_by("number")
    for sealed in pieces.values_list("sealed", flat=True).iterator(chunk_size=4):
        spool.add_sealed(bytes(sealed))
    spool.name = name
    return io.BufferedReader(spool, buffer_size=1 << 16)


def open_start(file: ImportFile, name: str = "") -> io.BytesIO:
    """The first bytes of a kept file, for a look at it, cut where a line ends (of a text in two or
    four bytes a letter, where a letter does)."""
    pieces = ImportPiece.objects.filter(file=file, number__lt=START).order_by("number")
    start = b"".join(
        unseal(bytes(sealed), f"{_about(file.pk)} {number}")
        for number, sealed in pieces.values_list("number", "sealed")
    )
    if len(start) < file.size:
        is_wide = b"\0" in start[:64]
        start = start[: len(start) & ~3] if is_wide else start[: start.rfind(b"\n") + 1] or start
    found = io.BytesIO(start)
    found.name = name
    return found


def _about(file_id: uuid.UUID) -> str:
    return f"import file {file_id}"


def forget_files() -> int:
    """Remove what the active tenant's imports of more than a week ago kept: their files, the rows
    that they refused and how changed customers looked before; how many files that were."""
    over = clock.now()
    old = ImportChunk.objects.filter(run__created_at__lte=over - KEPT)
    old.filter(Q(sealed__isnull=False) | Q(outcomes__isnull=False)).update(
        sealed=None, outcomes=None
    )
    expired = ImportFile.objects.filter(expires_at__lte=over)
    return expired.delete()[1].get(ImportFile._meta.label, 0)
