"""The errors of this package; the docstring is the message."""


class GrafanaError(Exception):
    """Something of the dashboards or their readers failed."""

    def __init__(self, detail: str = "") -> None:
        text = (self.__doc__ or type(self).__name__).strip().splitlines()[0]
        super().__init__(f"{text} {detail}".strip())


class UnknownMacroError(GrafanaError):
    """A query uses a macro or a variable that nothing replaces."""


class BadRoleNameError(GrafanaError):
    """A role name has 3 to 40 lower-case letters, digits and underscores, begins with a letter, and is not ours."""


class WeakPasswordError(GrafanaError):
    """A password has at least 15 printable ASCII characters, and not all the same."""


class ForeignRoleError(GrafanaError):
    """That role exists and is not one of this kind."""


class NoSuchReaderError(GrafanaError):
    """There is no such login."""


class NoSuchPersonError(GrafanaError):
    """Nobody is registered as."""


class OverlappingGrantError(GrafanaError):
    """That group may already see something of this person then; end the older grant first."""


class UnknownPlatformTimeError(GrafanaError):
    """The platform has not run yet, so its time is not known: name --since."""


class NobodyVisibleError(GrafanaError):
    """This login may see nobody at present."""
