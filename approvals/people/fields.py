"""Model fields for secrets."""

import zlib
from typing import Any

from django.db import models

from approvals.people.crypto import decrypt, decrypt_bytes, encrypt, encrypt_bytes


class EncryptedTextField(models.BinaryField):
    """Text kept encrypted in the database and seen in clear by the code that reads it; not searchable."""

    description = "Encrypted text"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(None if value is None else encrypt(value), connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return None if value is None else decrypt(bytes(value))

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: Any) -> str:
        raise TypeError("encrypted fields are not serialised")


class EncryptedFileField(models.BinaryField):
    """A file's bytes, packed and then encrypted; lists of payments pack to a tenth."""

    description = "Encrypted file"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        stored = None if value is None else encrypt_bytes(zlib.compress(value, 3))
        return super().get_db_prep_value(stored, connection, prepared)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> bytes | None:
        return None if value is None else zlib.decompress(decrypt_bytes(bytes(value)))

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: Any) -> str:
        raise TypeError("encrypted fields are not serialised")
