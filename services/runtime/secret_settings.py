"""Secret settings from files: each file of the folder HB_SECRETS is a setting by its name, as a container gets them."""

import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from services.runtime.errors import SettingError
from services.runtime.secret_files import why_open

FOLDER: Final = "HB_SECRETS"
_SETTING: Final = re.compile(r"HB_[A-Z0-9_]+")


class SecretSettingsError(SettingError):
    """A folder of secret settings can't be taken."""


def take_secret_settings(environment: MutableMapping[str, str]) -> None:
    """Puts what stands in the files into ``environment``, which is no longer the one that the process was given.

    A last line's end is no part of a value. Raises SecretSettingsError for what can't be read, what others may read,
    and what stands in the environment already; it names no value.
    """
    folder = environment.get(FOLDER)
    if not folder:
        return
    try:
        for path in sorted(Path(folder).iterdir()):
            if not _SETTING.fullmatch(path.name):
                continue
            if path.name in environment:
                raise SecretSettingsError(f"{path.name} stands both in {FOLDER} and in the environment.")
            if why := why_open(path):
                raise SecretSettingsError(f"{FOLDER}: {path.name}: {why}.")
            environment[path.name] = path.read_text("utf-8").removesuffix("\n")
    except OSError as error:
        raise SecretSettingsError(f"{FOLDER}: {error.strerror}.") from error
