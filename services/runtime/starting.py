"""How a process says that it can't start: one line on stderr that names the setting, not its value, and exit code 2."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from services.runtime.errors import SettingError
from services.runtime.secret_settings import take_secret_settings

REFUSED: Final = 2
"""The exit code."""
_REFUSALS: Final = (SettingError, SettingsError, ValidationError)
NOT_SET: Final = "is not set."
S = TypeVar("S", bound=BaseSettings)


def begin(main: Callable[[], object]) -> None:
    """Runs ``main`` as the whole of a process, with its secret settings; called only where a process begins.

    A setting that is missing or wrong ends it with a line and exit code 2; it raises whatever else ``main`` raises.
    """
    try:
        take_secret_settings(os.environ)
        main()
    except (*_REFUSALS, BaseExceptionGroup) as error:
        why = _refusal(error)
        if why is None:
            raise
        sys.stderr.write(f"{why}\n")
        sys.exit(REFUSED)


def settings_of(make: Callable[[], S]) -> S:
    """Settings read from the environment. Raises SettingError, which names the variable and never its value."""
    try:
        return make()
    except (ValidationError, SettingsError) as error:
        why = _refusal(error)
        if why is None:
            raise
        raise why from None


def _refusal(error: BaseException) -> SettingError | None:
    """What was refused, where it was a setting and nothing else went wrong."""
    if isinstance(error, BaseExceptionGroup):
        refused, others = error.split(_REFUSALS)
        return None if refused is None or others is not None else _refusal(refused.exceptions[0])
    if isinstance(error, SettingError):
        return error
    if isinstance(error, SettingsError):
        return SettingError(f"{_not_json(str(error))} is not valid JSON.")
    if isinstance(error, ValidationError) and error.title in _prefixes():
        return SettingError(_sentence(error))
    return None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    said = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:  # about several at once; the message names them
        return f"{said}."
    variable = f"{_prefixes()[error.title]}{first['loc'][0]}".upper()
    return f"{variable} {NOT_SET}" if first["type"] == "missing" else f"{variable}: {said[0].lower()}{said[1:]}."


def _not_json(said: str) -> str:
    """Which variable it is: pydantic names the field and not the settings, and several have a field of that name."""
    field = said.split('"')[1] if '"' in said else ""
    named = [f"{_prefix(one)}{field}".upper() for one in _settings() if field in one.model_fields]
    return next((name for name in named if not _is_json(os.environ.get(name, "0"))), field.upper())


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _prefixes() -> dict[str, str]:
    return {one.__name__: _prefix(one) for one in _settings()}


def _prefix(settings: type[BaseSettings]) -> str:
    return str(settings.model_config.get("env_prefix", ""))


def _settings(of: type[BaseSettings] = BaseSettings) -> Iterator[type[BaseSettings]]:
    """Every class of settings that was imported."""
    for one in of.__subclasses__():
        yield one
        yield from _settings(one)
