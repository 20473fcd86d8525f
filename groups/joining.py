"""How groups join the deeds of customers."""


def join_hooks():
    """Fill the hook table; called once when the app is ready."""
