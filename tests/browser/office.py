"""What a person does with the back office in a browser, and what can be judged of a page."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import TimeoutError

WIDTHS = (1440, 1024)
THEMES = ("light", "dark")
GRAVE = ("serious", "critical")


class Office:
    """The back office in one window. `page` is Playwright's, for all that has no word here."""

    def __init__(self, page, pictures, is_photographed):
        self.page = page
        self.errors = []
        self._pictures, self._is_photographed = pictures, is_photographed
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message):
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    # --- Doing ----------------------------------------------------------------------------------
    def go(self, path):
        """Open an address of the back office, and wait until it is on the screen: a browser throws
        away what is pressed before."""
        self.page.goto(path)
        return self.painted()

    def painted(self):
        """Wait until what was loaded is painted, as a person does before pressing anything."""
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        return self

    def press(self, *keys):
        """Press keys, one after the other: "Tab", "Enter", "Control+a"."""
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def type(self, text):
        """Type into whatever has the focus."""
        self.page.keyboard.type(text)
        return self

    def choose_file(self, path, *, by="Space", tries=4):
        """Open the file field that has the focus with a key and choose a file. The key is pressed
        again where no window opens, as a person would: a busy browser loses one now and then."""
        for _try in range(tries):
            try:
                with self.page.expect_file_chooser(timeout=5_000) as chooser:
                    self.press(by)
            except TimeoutError:
                continue
            chooser.value.set_files(path)
            return self
        raise AssertionError(f"{by} opened no window to choose a file in {tries} tries")

    def tab_to(self, name, *, most=80):
        """Press Tab until a control with these words in its name has the focus, as people do who
        use no mouse; fails where it is never reached."""
        passed = []
        for _n in range(most):
            self.press("Tab")
            passed.append(self.focused())
            if re.search(rf"\b{re.escape(name)}\b", passed[-1], re.IGNORECASE):
                return self
        raise AssertionError(f"Tab never reaches {name!r}; it passed {passed}")

    def focused(self):
        """The name of the control that has the focus, as a screen reader would say it, roughly."""
        return self.page.evaluate(
            """() => {
              const it = document.activeElement;
              if (!it || it === document.body) return "";
              const said = it.getAttribute("aria-label")
                || [...(it.labels || [])].map((label) => label.innerText).join(" ")
                || it.innerText || it.value || it.name || it.title || it.tagName;
              return said.replace(/\\s+/g, " ").trim();
            }"""
        )

    # --- Seeing ---------------------------------------------------------------------------------
    def text(self):
        """The words that are to be seen."""
        return self.page.locator("body").inner_text()

    def in_theme(self, theme):
        """Show the page "light" or "dark": as the system of the person asks for, and by the switch
        of the back office, which looks at the system only when a page is loaded."""
        self.page.emulate_media(color_scheme=theme)
        self.page.evaluate(
            """(theme) => {
              if (window.Alpine) Alpine.$data(document.documentElement).adminTheme = theme;
            }""",
            theme,
        )
        self.page.wait_for_function("document.getAnimations().length === 0")
        return self

    def photograph(self, name):
        """Pictures of the whole page, wide and narrow, light and dark, into var/screens/; only with
        SCREENSHOTS=1, because they take longer than all the rest of a test."""
        if not self._is_photographed:
            return
        self._pictures.mkdir(parents=True, exist_ok=True)
        size = self.page.viewport_size
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": size["height"]})
            for theme in THEMES:
                self.in_theme(theme)
                path = self._pictures / f"{name}-{width}-{theme}.png"
                self.page.screenshot(path=path, full_page=True)
        self.page.set_viewport_size(size)
        self.in_theme("light")

    def grave_faults(self, *themes):
        """What axe-core calls a serious or critical fault of this page, in the themes named (light
        and dark): one line each, with where it is; [] where everybody can use it."""
        found = []
        for theme in themes or THEMES:
            self.in_theme(theme)
            options = {"resultTypes": ["violations"]}
            for fault in Axe().run(self.page, options=options).response["violations"]:
                if fault["impact"] in GRAVE:
                    places = [" ".join(map(str, node["target"])) for node in fault["nodes"]]
                    found.append(f"{theme}: {fault['id']} ({fault['help']}): {places}")
        self.in_theme("light")
        return found
