"""The command `hearthbeat` of a checkout: on whichever platform runs here, with no settings to type."""

from deploy.running.find import find
from services.cli.command import make_app


def main() -> None:
    """What `.venv/bin/hearthbeat` calls."""
    make_app(find)()


if __name__ == "__main__":
    main()
