"""The command `hearthbeat` of a checkout: on whichever platform runs here, with no settings to type."""

import os
import sys

from deploy.certificates.command import make_app as make_certificates
from deploy.containers.clinic import Clinic
from deploy.containers.engine import find_engine
from deploy.local.errors import StackError
from deploy.running.find import asked_containers, find
from deploy.scenarios.__main__ import scenarios
from services.cli.command import make_app
from services.runtime.starting import begin


def main() -> None:
    """What `.venv/bin/hearthbeat` calls. Of a platform in containers it is the command inside."""
    if (asked := asked_containers(sys.argv[1:], os.environ)) is not None:
        deployment, arguments = asked
        try:
            Clinic(deployment, find_engine()).replace_by_tool(arguments)
        except StackError as error:
            sys.exit(str(error))
    app = make_app(find)
    app.command()(scenarios)
    app.add_typer(make_certificates(), name="certificates")
    begin(app)


if __name__ == "__main__":
    main()
