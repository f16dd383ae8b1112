"""Django's PostgreSQL engine, which starts the embedded server when the first connection is asked for."""

from typing import Any

from django.db.backends.postgresql import base

from project import postgres


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        postgres.use()
        return super().get_new_connection(conn_params)
