"""Where a doctor is led after signing in, what a picture for an app is, and as what a link is kept."""

import pytest

from services.api.one_time_codes import app_address, new_secret
from services.api.password_resets import link_hash
from services.api.second_factor_pages import picture_of
from services.api.sign_in_pages import is_here


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/", True),
        ("/people/0b1c-2", True),
        ("//example.org", False),
        ("https://example.org", False),
        ("/people?name=Ruth", False),
        ("/\\example.org", False),
        ("", False),
    ],
)
def test_nobody_is_led_to_another_site(path: str, *, here: bool) -> None:
    assert is_here(path) is here


def test_a_picture_is_drawn_in_black_and_white_and_names_nobody() -> None:
    address = app_address(new_secret(), '"><script>@example.org')
    picture = str(picture_of(address))
    assert picture.startswith("<svg viewBox=")
    assert ("#000" in picture, "#fff" in picture) == (True, True)
    assert not any(word in picture for word in ("script", "example", "style=", "secret"))
    assert picture != str(picture_of(app_address(new_secret(), "x@example.org")))


def test_a_link_is_kept_as_a_hash_whatever_spaces_came_with_it() -> None:
    assert link_hash(" one\n") == link_hash("one") != link_hash("two")
    assert len(link_hash("one")) == 32
