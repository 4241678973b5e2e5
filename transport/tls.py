"""TLS as a client: TLS 1.2 or newer, the server's name checked, and no way to switch that off."""

import ssl
from pathlib import Path


def client_context(ca_file: Path | None = None, certificate_file: Path | None = None) -> ssl.SSLContext:
    """Trusts the CAs of ``ca_file`` alone, or those of the system without one.

    ``certificate_file``, key and certificate in one, is shown to servers that ask who we are. Raises OSError.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate_file is not None:
        context.load_cert_chain(certificate_file)
    return context
