"""A browser without a screen: reads the form of a page and sends it back, changed where told."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    """What a browser would send of the one form with this id (or the last form without)."""

    def __init__(self, form_id):
        super().__init__()
        self.form_id, self.inside, self.data = form_id, False, {}
        self.select = self.textarea = None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.inside = attrs.get("id") == self.form_id
        if not self.inside:
            return
        name = attrs.get("name")
        if tag == "input" and name:
            kind = attrs.get("type", "text")
            if kind in ("submit", "button", "file"):
                return
            if kind in ("checkbox", "radio"):
                if "checked" in attrs:
                    self._add(name, attrs.get("value", "on"))
                return
            self._add(name, attrs.get("value") or "")
        elif tag == "textarea":
            self.textarea = name
            self.data[name] = [""]
        elif tag == "select":
            self.select, self.first = name, None
        elif tag == "option" and self.select:
            value = attrs.get("value", "")
            if self.first is None:
                self.first = value
                self.data.setdefault(self.select, [value])
            if "selected" in attrs:
                self.data[self.select] = [value]

    def _add(self, name, value):
        self.data.setdefault(name, []).append(value)

    def handle_data(self, data):
        if self.textarea and self.inside:
            self.data[self.textarea][0] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "textarea":
            if self.textarea in self.data:
                # A browser drops the line break that stands directly after the tag.
                text = self.data[self.textarea][0]
                self.data[self.textarea] = [text.removeprefix("\r\n").removeprefix("\n")]
            self.textarea = None
        elif tag == "select":
            self.select = None


def form_data(response, form_id, /, **typed):
    """The fields of a page's form, with what somebody typed; None leaves a field out.

    In names of `typed`, two underscores stand for a hyphen (`emails__0__address`).
    """
    parser = _Fields(form_id)
    parser.feed(response.content.decode())
    data = parser.data
    for name, value in typed.items():
        name = name.replace("__", "-")
        if value is None:
            data.pop(name, None)
        else:
            data[name] = value if isinstance(value, list) else [value]
    return data


def send(client, url, form_id, /, **typed):
    """Open the page, type, press Save; the answer."""
    return client.post(url, form_data(client.get(url), form_id, **typed))


def add_row(data, list_name, /, **values):
    """Press "Add another" under an inline table and type into the new row."""
    index = int(data[f"{list_name}-TOTAL_FORMS"][0])
    data[f"{list_name}-TOTAL_FORMS"] = [str(index + 1)]
    template = f"{list_name}-__prefix__-"
    for name in [name for name in data if template in name]:
        data[name.replace(template, f"{list_name}-{index}-")] = list(data[name])
    for name, value in values.items():
        data[f"{list_name}-{index}-{name}"] = [value]
    return data


def text_of(response):
    """The words of a page."""
    return response.content.decode()
