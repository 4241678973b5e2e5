"""Structured logs: one JSON object a line on stderr. No personal data, ever."""

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Sets up structlog for the whole process; libraries that use ``logging`` go through stderr at warning."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it calls each try an error
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger(service: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a service."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(service=service)
    return bound
