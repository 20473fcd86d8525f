"""Mail into files, for trying things out: one file for every message."""

import os
import uuid

from django.core.mail.backends import filebased


class EmailBackend(filebased.EmailBackend):
    """Django's, with names that no other message can have: its own are made of the second and of a
    place in memory that the next message may get again."""

    def _get_filename(self):
        if self._fname is None:
            second = os.path.basename(super()._get_filename()).rpartition("-")[0]
            self._fname = os.path.join(self.file_path, f"{second}-{uuid.uuid4()}.log")
        return self._fname
