"""Read all groups once; one list of all errors; secrets from environment, files or a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr, ValidationError

from apps.core.conf import groups
from apps.core.conf.secrets import SecretProvider, default_providers, find


class InvalidSettings(Exception):
    """All wrong settings at once, one a line."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("Settings are not valid:\n" + "\n".join(f"  - {problem}" for problem in problems))


@dataclass(frozen=True)
class EffectiveValue:
    """One setting as the console shows it; `value` of a secret is never its text."""

    group: str
    name: str
    variable: str
    value: str
    origin: str  # "environment", "file" or "default"
    description: str
    is_secret: bool


@dataclass(frozen=True)
class Configuration:
    """All groups, validated."""

    server: groups.ServerSettings
    database: groups.DatabaseSettings
    redis: groups.RedisSettings
    security: groups.SecuritySettings
    files: groups.FileSettings
    model: groups.ModelSettings
    mail: groups.MailSettings
    notification: groups.NotificationSettings
    outbound: groups.OutboundSettings
    chat: groups.ChatSettings
    documents: groups.DocumentSettings
    search: groups.SearchSettings

    def all(self) -> list[groups.Group]:
        """Return the groups in their order on the console."""
        return [
            self.server, self.database, self.redis, self.security, self.files, self.model, self.mail,
            self.notification, self.outbound, self.chat, self.documents, self.search,
        ]  # fmt: skip


def load(
    environment: Mapping[str, str] | None = None, providers: Sequence[SecretProvider] | None = None
) -> Configuration:
    """Validate every group and return them.

    Raises:
        InvalidSettings: with every problem of every group.
    """
    providers = default_providers(environment) if providers is None else providers
    problems: list[str] = []
    loaded: list[groups.Group] = []
    for group in groups.ALL:
        try:
            loaded.append(group.model_validate(_values(group, providers, problems)))
        except ValidationError as error:
            for problem in error.errors():
                variable = str(problem["loc"][0]) if problem["loc"] else group.__name__
                problems.append(f"{_variable_of(group, variable)}: {problem['msg']}")
    if problems:
        raise InvalidSettings(problems)
    return Configuration(*loaded)  # type: ignore[arg-type]  # the order is that of groups.ALL


def effective(
    configuration: Configuration, environment: Mapping[str, str] | None = None
) -> list[EffectiveValue]:
    """Return each value and where it came from; secrets say only whether they are set."""
    providers = default_providers(environment)
    return [
        EffectiveValue(
            group=type(group).__name__.removesuffix("Settings"),
            name=name,
            variable=(variable := variable_name(type(group), name)),
            value=_shown(getattr(group, name)),
            origin=find(variable, providers)[1],
            description=field.description or "",
            is_secret=isinstance(getattr(group, name), SecretStr) or "Secret" in str(field.annotation),
        )
        for group in configuration.all()
        for name, field in type(group).model_fields.items()
    ]


def variable_name(group: type[groups.Group], field: str) -> str:
    """Return the environment variable of a field."""
    alias = group.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"CHATSYSTEM_{field.upper()}"


def _variable_of(group: type[groups.Group], location: str) -> str:
    return variable_name(group, location) if location in group.model_fields else location


def _values(
    group: type[groups.Group], providers: Sequence[SecretProvider], problems: list[str]
) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, field in group.model_fields.items():
        variable = variable_name(group, name)
        key = field.validation_alias if isinstance(field.validation_alias, str) else name
        try:
            value, _ = find(variable, providers)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            problems.append(f"{variable}: its file cannot be read ({reason})")
            continue
        if value is not None:
            values[key] = value
    return values


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else "empty"
    return "not set" if value is None else str(value)
