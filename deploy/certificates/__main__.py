"""`python -m deploy.certificates`."""

from deploy.certificates.command import make_app

if __name__ == "__main__":
    make_app()(prog_name="python -m deploy.certificates")
