"""Secret settings come out of files that nobody else may read, and a setting stands in one place."""

from pathlib import Path

import pytest

from services.runtime.secret_settings import SecretSettingsError, take_secret_settings


def folder_of(path: Path, **settings: str) -> dict[str, str]:
    for name, value in settings.items():
        (path / name).touch(mode=0o600)
        (path / name).write_text(value)
    return {"HB_SECRETS": str(path)}


def test_each_file_is_a_setting_by_its_name(tmp_path: Path) -> None:
    environment = folder_of(tmp_path, HB_DB_DSN="somewhere\n", HB_BUS_PASSWORD=" kept as it is ", README="no setting")
    take_secret_settings(environment)
    assert environment == {
        "HB_SECRETS": str(tmp_path), "HB_DB_DSN": "somewhere", "HB_BUS_PASSWORD": " kept as it is "
    }  # fmt: skip


@pytest.mark.parametrize("environment", [{}, {"HB_SECRETS": ""}])
def test_without_a_folder_nothing_changes(environment: dict[str, str]) -> None:
    before = dict(environment)
    take_secret_settings(environment)
    assert environment == before


def test_what_others_may_read_is_refused_by_name_alone(tmp_path: Path) -> None:
    environment = folder_of(tmp_path, HB_DB_DSN="somewhere")
    (tmp_path / "HB_DB_DSN").chmod(0o644)
    with pytest.raises(SecretSettingsError, match="HB_DB_DSN: others may read this secret") as refused:
        take_secret_settings(environment)
    assert "somewhere" not in str(refused.value)


def test_a_setting_in_two_places_is_refused(tmp_path: Path) -> None:
    environment = {**folder_of(tmp_path, HB_DB_DSN="somewhere"), "HB_DB_DSN": "elsewhere"}
    with pytest.raises(SecretSettingsError, match="HB_DB_DSN stands both in HB_SECRETS and in the environment"):
        take_secret_settings(environment)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretSettingsError, match="HB_SECRETS: No such file or directory"):
        take_secret_settings({"HB_SECRETS": str(tmp_path / "away")})
