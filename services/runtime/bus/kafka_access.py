"""How every client of ours reaches Kafka: where it is, and as whom; by TLS with SCRAM wherever there is a CA."""

from typing import Any

from services.runtime.settings import BusSettings


def client_arguments(settings: BusSettings) -> dict[str, Any]:
    """The arguments that all of aiokafka's clients share. Raises OSError where a file of TLS can't be read."""
    where = {"bootstrap_servers": settings.kafka}
    context = settings.tls.context()
    if context is None:
        return where
    if settings.user is None or settings.password is None:
        return {**where, "security_protocol": "SSL", "ssl_context": context}
    return {
        **where,
        "security_protocol": "SASL_SSL",
        "ssl_context": context,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.user,
        "sasl_plain_password": settings.password.get_secret_value(),
    }
