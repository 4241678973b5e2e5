"""The command `hearthbeat` of a checkout: on whichever platform runs here, with no settings to type."""

from deploy.certificates.command import make_app as make_certificates
from deploy.running.find import find
from deploy.scenarios.__main__ import scenarios
from services.cli.command import make_app
from services.runtime.starting import begin


def main() -> None:
    """What `.venv/bin/hearthbeat` calls."""
    app = make_app(find)
    app.command()(scenarios)
    app.add_typer(make_certificates(), name="certificates")
    begin(app)


if __name__ == "__main__":
    main()
