"""Whether the service of this container does its work: exit code 0, as the engine asks for it every few seconds.

The standard library alone, so that asking costs a tenth of a second. The name in the certificate is checked as
everybody else checks it. What shows no metrics, as a command or the simulator, is well for as long as it runs.
"""

import http.client
import os
import ssl
import sys

_ANSWER_S = 8.0
_HOST = "localhost"


def main() -> int:
    """0 for an answer of 200, else 1."""
    if "HB_METRICS_PORT" not in os.environ:
        return 0
    port, page = os.environ["HB_METRICS_PORT"], "/readyz"
    if "HB_API_PORT" in os.environ:
        port, page = os.environ["HB_API_PORT"], "/healthz"
    context = ssl.create_default_context(cafile=os.environ["HB_TLS_CA_FILE"])
    connection = http.client.HTTPSConnection(_HOST, int(port), timeout=_ANSWER_S, context=context)
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        sys.stdout.write(answer.read(200).decode(errors="replace"))
    except OSError as error:
        sys.stdout.write(str(error))
        return 1
    return 0 if answer.status == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
