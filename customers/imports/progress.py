"""A progress bar for people at a terminal; for pipes and logs there is none."""

WIDTH = 30


class ProgressBar:
    """Call it with the rows done and all rows; nothing is shown unless `stream` is a terminal."""

    def __init__(self, stream):
        self.stream = stream
        self.shown = ""
        isatty = getattr(stream, "isatty", None)
        self.is_terminal = bool(isatty and isatty())

    def __call__(self, done, total):
        if not self.is_terminal:
            return
        share = done / total if total else 1
        bar = "#" * round(share * WIDTH)
        text = f"[{bar:<{WIDTH}}] {share:4.0%}  {done} of {total} rows"
        if text != self.shown:
            self.shown = text
            self.write(f"\r{text}")

    def end(self):
        """Clear the line, so that the report stands alone."""
        if self.shown:
            self.write("\r" + " " * len(self.shown) + "\r")

    def write(self, text):
        # Past Django's wrapper, which ends every text with a line feed.
        out = getattr(self.stream, "_out", self.stream)
        out.write(text)
        out.flush()
