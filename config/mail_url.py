"""EMAIL_URL, read: how mails leave this installation.

    console:                                  written to standard output
    file:///folder                            one file each
    smtp://user:password@host:25              unencrypted; smtp+tls:// turns to TLS (port 587),
                                              smtps:// is TLS from the start (port 465)
    anymail+<provider>://KEY[:SECRET]@        the API of a provider that django-anymail speaks to,
                                              with its further settings as ?name=value

Every part may be percent-encoded. docs/messages.md lists the providers.
"""

from urllib.parse import parse_qsl, unquote, urlsplit

BACKENDS = "django.core.mail.backends"
# scheme -> (port, STARTTLS, TLS from the start)
SMTP = {
    "smtp": (25, False, False),
    "smtp+tls": (587, True, False),
    "submission": (587, True, False),
    "smtp+ssl": (465, False, True),
    "smtps": (465, False, True),
}
# How other notations ask for one of the two kinds of TLS: ?tls=1, ?ssl=1.
TRUE = {"1", "true", "yes", "on"}
# provider -> what its URL must give: the key, the secret after a colon, and what follows as ?name=.
# Any other setting of django-anymail may follow in the same way.
PROVIDERS = {
    "brevo": ("api_key", None, ()),
    "mailersend": ("api_token", None, ()),
    "mailgun": ("api_key", None, ()),
    "mailjet": ("api_key", "secret_key", ()),
    "mailtrap": ("api_token", None, ()),
    "mandrill": ("api_key", None, ()),
    "postal": ("api_key", None, ("api_url",)),
    "postmark": ("server_token", None, ()),
    "resend": ("api_key", None, ()),
    "scaleway": ("secret_key", None, ("project_id",)),
    "sparkpost": ("api_key", None, ()),
    "unisender-go": ("api_key", None, ("api_url",)),
}
SECONDS = 10


def mail_settings(url):
    """(settings, problems): the Django settings that an EMAIL_URL means, as a dict, and what is
    wrong with it, as sentences. With problems the settings are those of a console, so that the
    check can tell them instead of a traceback."""
    problems, told = [], {}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return _console(), [f"EMAIL_URL cannot be read: {error}."]
    scheme = parts.scheme
    if scheme in SMTP:
        told, problems = _smtp(parts, port)
    elif scheme.startswith("anymail+"):
        told, problems = _provider(parts, scheme.removeprefix("anymail+"))
    elif scheme == "file":
        told = {"EMAIL_BACKEND": IN_FILES, "EMAIL_FILE_PATH": unquote(parts.path)}
        problems = [] if parts.path else ["EMAIL_URL=file:// names no folder."]
    elif scheme in ("console", "dummy", "memory"):
        told = _backend({"memory": "locmem"}.get(scheme, scheme))
    else:
        known = ", ".join(["console", "file", *SMTP, "anymail+<provider>"])
        problems = [f"EMAIL_URL has the unknown scheme {scheme!r}; known are {known}."]
    return ({**_console(), **told}, []) if not problems else (_console(), problems)


def _console():
    return {
        "EMAIL_HOST": "",
        "EMAIL_PORT": 25,
        "EMAIL_HOST_USER": "",
        "EMAIL_HOST_PASSWORD": "",
        "EMAIL_USE_TLS": False,
        "EMAIL_USE_SSL": False,
        "EMAIL_TIMEOUT": SECONDS,
        "EMAIL_FILE_PATH": None,
        "ANYMAIL": {},
        **_backend("console"),
    }


IN_FILES = "config.mail_files.EmailBackend"


def _backend(name):
    return {"EMAIL_BACKEND": f"{BACKENDS}.{name}.EmailBackend"}


def _smtp(parts, port):
    usual_port, tls, ssl = SMTP[parts.scheme]
    asked = {name for name, value in parse_qsl(parts.query) if value.lower() in TRUE}
    problems = []
    if {"tls", "ssl"} <= asked or ("ssl" in asked and tls) or ("tls" in asked and ssl):
        problems.append(
            "EMAIL_URL asks for both kinds of TLS: use smtp+tls:// (STARTTLS) or smtps://."
        )
    tls, ssl = tls or "tls" in asked, ssl or "ssl" in asked
    if not parts.hostname:
        problems.append("EMAIL_URL names no mail server.")
    if parts.password and not (tls or ssl) and parts.hostname not in ("localhost", "127.0.0.1"):
        problems.append("EMAIL_URL would send a password unencrypted; use smtp+tls:// or smtps://.")
    if (ssl, port) == (True, 587) or (tls, port) == (True, 465):
        problems.append(
            f"EMAIL_URL asks port {port} for the other kind of TLS; smtp+tls:// goes with 587, "
            "smtps:// with 465."
        )
    told = _backend("smtp") | {
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": port or usual_port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": tls,
        "EMAIL_USE_SSL": ssl,
    }
    return told, problems


def _provider(parts, name):
    if name not in PROVIDERS:
        return {}, [f"EMAIL_URL names an unknown provider; known are {', '.join(PROVIDERS)}."]
    key, secret, more = PROVIDERS[name]
    own, at, after = parts.netloc.rpartition("@")
    before, _colon, behind = (own if at else after).partition(":")
    given = dict(parse_qsl(parts.query))
    for setting, value in ((key, before), (secret, behind)):
        if setting and value:
            given[setting] = unquote(value)
    problems = [
        f"EMAIL_URL: {name} needs its {setting}."
        for setting in filter(None, (key, secret, *more))
        if not given.get(setting)
    ]
    if (at and after) or parts.path.strip("/") or (behind and not secret):
        problems.append(
            f"EMAIL_URL: anymail+{name}://{key.upper()}{secret and ':' + secret.upper() or ''}@ is "
            "all that it takes; further settings follow as ?name=value."
        )
    module = name.replace("-", "_")
    anymail = {f"{module.upper()}_{setting.upper()}": value for setting, value in given.items()}
    told = {
        "EMAIL_BACKEND": f"anymail.backends.{module}.EmailBackend",
        "ANYMAIL": {"REQUESTS_TIMEOUT": SECONDS, **anymail},
    }
    return told, problems
