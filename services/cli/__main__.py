"""`python -m services.cli`: the command `hearthbeat` where the environment says everything, as in an image."""

from services.cli.command import make_app
from services.runtime.starting import begin

if __name__ == "__main__":
    begin(make_app())
