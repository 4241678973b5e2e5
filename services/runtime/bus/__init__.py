"""The bus: ports, and the adapters for Kafka, for PostgreSQL tables and for memory."""
