"""British English with the clock of 24 hours, as the tills have it: 00:00, not "midnight"."""

DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
