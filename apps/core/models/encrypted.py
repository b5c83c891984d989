"""Fields whose column holds a stored secret, and one that finds it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Q

from apps.core.services import secrets


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """Text that is encrypted in the database and plain on the model; its place is table and column.

    Nothing can be looked for in it but `isnull`: use a `BlindIndexField` beside it.
    """

    _lookups: ClassVar[frozenset[str]] = frozenset({"isnull"})

    @property
    def context(self) -> str:
        """Return the place it is bound to."""
        return f"{self.model._meta.db_table}.{self.column}"  # noqa: SLF001 - Django's public name

    def get_prep_value(self, value: Any) -> Any:  # Any: Django's signature
        """Encrypt."""
        return None if value is None else secrets.encrypt(str(value), context=self.context)

    def from_db_value(self, value: str | None, *_args: object) -> str | None:
        """Decrypt.

        Raises:
            SecretUnreadable.
        """
        return None if value is None else secrets.decrypt(value, context=self.context)

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse what would compare with ciphertext, and silently find nothing."""
        if lookup_name not in self._lookups:
            raise FieldError(f"{self.name} is encrypted: look for it through a BlindIndexField")
        return super().get_lookup(lookup_name)


class BlindIndexField(models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """Follows an encrypted field: `BlindIndexField(of="token")`, found with `matching("token_index", text)`."""

    def __init__(self, *args: Any, of: str = "", **kwargs: Any) -> None:
        self.of = of
        super().__init__(*args, **{"max_length": 90, "editable": False, "null": True} | kwargs)

    def deconstruct(self) -> Any:
        """Keep the followed field in migrations."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:  # noqa: ARG002 - Django's signature
        """Compute it from the plain text."""
        text, source = getattr(model_instance, self.of), model_instance._meta.get_field(self.of)  # noqa: SLF001 - Django's public name
        context = getattr(source, "context")  # noqa: B009 - an encrypted field's
        value = None if text is None else secrets.blind_index(str(text), context=context)
        setattr(model_instance, self.attname, value)
        return value


def matching(model: type[models.Model], field: str, text: str) -> Q:
    """Return the condition that finds rows by the text of the field an index follows, under any key of the ring."""
    index = model._meta.get_field(field)  # noqa: SLF001 - Django's public name
    source = model._meta.get_field(index.of) if isinstance(index, BlindIndexField) else index  # noqa: SLF001 - Django's public name
    if not isinstance(source, EncryptedTextField):
        raise FieldError(f"{field} follows no encrypted field")
    return Q(**{f"{field}__in": secrets.blind_indexes(text, context=source.context)})
