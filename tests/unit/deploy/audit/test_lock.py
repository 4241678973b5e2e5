"""A lock is read whole, or not at all: nothing that is installed escapes the audit."""

from pathlib import Path

import pytest

from deploy.audit.lock import DEV, RUN, Locked, LockError, locked_in, read_lock

A, B = "a" * 64, "b" * 64


def test_a_lock_is_read_with_markers_extras_and_every_hash() -> None:
    text = f"""
# comment
Some.Thing[extra]==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
other==2!1.0+x \\
    --hash=sha256:{B}
"""
    assert read_lock(text) == (
        Locked("some-thing", "1.0", (A, B), "python_full_version < '3.12'"),
        Locked("other", "2!1.0+x", (B,)),
    )


@pytest.mark.parametrize(
    "line",
    [
        "thing==1.0",
        f"thing>=1.0 --hash=sha256:{A}",
        "thing==1.0 --hash=sha256:abc",
        f"thing==1.0 --hash=sha256:{A} --hash=md5:{'a' * 32}",
        f"thing @ https://somewhere.example/thing.whl --hash=sha256:{A}",
        "-r other.txt",
    ],
)
def test_a_line_that_locks_nothing_is_refused(line: str) -> None:
    with pytest.raises(LockError, match="not a locked distribution"):
        read_lock(line)


def test_what_several_locks_hold_is_named_once_and_both_versions_of_one_name(tmp_path: Path) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text(f"b==1 --hash=sha256:{A}\na==1 --hash=sha256:{A}\n")
    other.write_text(f"a==1 --hash=sha256:{A}\na==2 --hash=sha256:{B}\n")
    assert [(each.name, each.version) for each in locked_in(one, other)] == [("a", "1"), ("a", "2"), ("b", "1")]


def test_the_products_own_locks_are_read_line_by_line() -> None:
    for lock in (RUN, DEV):
        assert len(read_lock(lock.read_text())) == len(
            [one for one in lock.read_text().splitlines() if one[:1].isalnum()]
        )
