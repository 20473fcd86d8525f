"""A file that comes in by a form: taken as it comes, so that nothing readable lies on a disk."""

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from .storing import Intake, TooLarge


class UploadedIntake:
    """What a form's file is to a view: the intake, and what the sender called it."""

    def __init__(self, intake, name):
        self.intake, self.name = intake, name or ""

    def chunks(self):
        """The bytes, for who compares two uploads."""
        return self.intake.plain_pieces()

    def seek(self, place):
        """It has no place: every reading begins at the start."""

    def close(self):
        self.intake.spool.close()


class SealingHandler(FileUploadHandler):
    """Takes an uploaded file as it comes in; lets TooLarge through."""

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.intake = Intake()

    def receive_data_chunk(self, raw_data, start):
        self.intake.feed(raw_data)

    def file_complete(self, file_size):
        return UploadedIntake(self.intake, self.file_name)


class PatientHandler(SealingHandler):
    """The same for a person at a browser, which shows no answer before all of the form was read: a
    file that is too large is read to its end and thrown away, and `too_large` says so."""

    too_large = False

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None):  # noqa: N803
        # A form is hardly longer than its file: so much need not be taken in first.
        if content_length > settings.IMPORT_MAX_BYTES + (1 << 20):
            self.too_large = True

    def receive_data_chunk(self, raw_data, start):
        try:
            if self.too_large:
                raise TooLarge(settings.IMPORT_MAX_BYTES)
            super().receive_data_chunk(raw_data, start)
        except TooLarge:
            self.too_large = True
            self.intake.spool.close()
            raise StopUpload(connection_reset=False) from None
