"""The groups. Every field is one environment variable `CHATSYSTEM_<FIELD>`; `alias` names the exceptions."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from apps.core.conf import smtp
from apps.core.outbound.places import read_places


def _(text: str) -> str:
    """Mark a text for translation. Django's own marker reads the settings, which these groups are for."""
    return text


def _url_without_slash(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


def _require_port(parts: SplitResult) -> None:
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("has a port that is none") from None


def _smtp_url(value: SecretStr) -> SecretStr:
    smtp.parse(value.get_secret_value())
    return value


Url = Annotated[str, AfterValidator(_url_without_slash)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp_url)]


def _http_addresses(value: str) -> str:
    for url in filter(None, (part.strip() for part in value.split(","))):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("every address begins with http:// or https:// and names a host")
    return value


def _places(value: str) -> str:
    read_places(value)
    return value


def _http_proxy(value: SecretStr | None) -> SecretStr | None:
    parts = urlsplit(value.get_secret_value()) if value else None
    if parts is not None and (parts.scheme != "http" or not parts.hostname):
        raise ValueError("begins with http:// and names a host")
    return value


class Group(BaseModel):
    """Base of all groups: values come as text, unknown ones are a programming error."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class ServerSettings(Group):
    """Addresses and places."""

    process: Literal["web", "worker", "relay", "model", "migrate", "command"] = Field(
        "command", description=_("What this process is; decides its database role.")
    )
    instance: str = Field("", description=_("Random id of this start, shown by the health pages."))
    port: int = Field(8000, ge=1, le=65535, description=_("Port of the web server."))
    host: str = Field("127.0.0.1", description=_("Address the web server binds."))
    public_url: Url = Field(
        "http://127.0.0.1:8000", description=_("The address people type; decides cookies and links.")
    )
    files_base_url: str = Field(
        "", description=_("Address at another host name that serves user files; empty uses public_url.")
    )
    data_dir: Path = Field(Path("var"), description=_("Files, exported models, logs of the embedded stack."))
    allowed_hosts: str = Field(
        "", description=_("More host names, by comma; the one of public_url is always allowed.")
    )
    web_processes: int = Field(
        1, ge=1, le=64, description=_("Web processes that share the listening socket.")
    )
    trusted_proxies: int = Field(0, ge=0, le=5, description=_("Proxies in front that set X-Forwarded-For."))
    metrics_token: SecretStr | None = Field(
        None,
        description=_(
            "Bearer token for /metrics; without one only a server on loopback shows them, to itself."
        ),
    )
    demo: bool = Field(False, description=_("Create the demo organizations at the first start."))

    @field_validator("files_base_url")
    @classmethod
    def _another_host(cls, value: str, info: ValidationInfo) -> str:
        """Cookies do not look at ports, so only another host name keeps strangers' files away from sessions."""
        if not value:
            return value
        public, files = urlsplit(str(info.data.get("public_url", ""))), urlsplit(_url_without_slash(value))
        _require_port(files)
        if not files.hostname or files.path.strip("/") or files.query or files.fragment or files.username:
            raise ValueError("is scheme, host and port only")
        if files.hostname == public.hostname:
            raise ValueError("needs another host name than CHATSYSTEM_PUBLIC_URL")
        if public.scheme == "https" and files.scheme != "https":
            raise ValueError("must be https like CHATSYSTEM_PUBLIC_URL")
        return value.rstrip("/")


class DatabaseSettings(Group):
    """PostgreSQL, one URL per role."""

    database_url: SecretStr = Field(
        SecretStr("postgresql://chat_app@/chat"),
        validation_alias="DATABASE_URL",
        description=_("Runtime role."),
    )
    database_owner_url: SecretStr | None = Field(
        None, description=_("Role that owns the tables; migrations only.")
    )
    database_platform_url: SecretStr | None = Field(None, description=_("Role of the relay."))
    database_pool_size: int = Field(8, ge=1, le=100, description=_("Connections per process."))
    database_plans_stay: bool = Field(
        False,
        description=_(
            "A connection stays with its process, so plans of statements are kept on it. Not with a pooler in "
            "transaction mode. The embedded PostgreSQL has it on."
        ),
    )
    statement_timeout_seconds: int = Field(
        30, ge=1, le=600, description=_("Longest statement of the runtime role.")
    )


class RedisSettings(Group):
    """Wake-ups, presence, limits, broker."""

    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), validation_alias="REDIS_URL", description=_("Redis or Valkey.")
    )


class SecuritySettings(Group):
    """Keys and limits."""

    secret_key: SecretStr = Field(
        ..., description=_("Signs sessions and links; at least 50 random characters.")
    )
    secret_key_fallbacks: str = Field("", description=_("Older keys by comma, still accepted for reading."))
    encryption_keys: SecretStr | None = Field(
        None,
        description=_(
            "Keys of stored secrets, newest first, as id:key with 32 bytes in base64, by comma or line; empty derives "
            "them from secret_key. Read again while the server runs."
        ),
    )
    audit_key: SecretStr | None = Field(
        None, description=_("Seals the audit trail and signs its anchors; without one the secret key does.")
    )
    audit_key_fallbacks: SecretStr = Field(
        SecretStr(""), description=_("Older audit keys by comma, still accepted for reading.")
    )
    audit_anchor_dir: Path | None = Field(
        None,
        description=_(
            "Where heads of the audit chains are written, signed; best on another machine's disk."
            " Empty is audit-anchors in the data directory."
        ),
    )
    audit_anchor_seconds: int = Field(
        3600, ge=10, le=86_400, description=_("How often the heads are written there.")
    )
    session_days: int = Field(14, ge=1, le=30, description=_("Life of a browser session without use."))
    key_unused_days: int = Field(
        90, ge=0, le=365, description=_("API keys unused for so many days are suspended; 0 never.")
    )
    second_factor: Literal["nobody", "administrators", "everybody"] = Field(
        "nobody",
        description=_("Who needs a second factor on this server, at once, whatever organizations say."),
    )
    requests_per_minute: int = Field(1200, ge=10, description=_("REST requests of one principal."))
    requests_per_minute_of_network: int = Field(
        0, ge=0, description=_("Requests from one network; 0 is twenty times those of one principal.")
    )
    requests_per_minute_of_organization: int = Field(
        0,
        ge=0,
        description=_("REST requests of one organization; 0 is a hundred times those of one principal."),
    )
    messages_per_minute: int = Field(600, ge=1, description=_("Messages one principal may send."))
    message_burst: int = Field(100, ge=1, description=_("Messages at once before the rate counts."))
    messages_per_minute_of_organization: int = Field(
        0, ge=0, description=_("Messages of one organization; 0 is a hundred times those of one principal.")
    )
    frames_per_second: int = Field(
        200,
        ge=10,
        description=_("Frames one socket may send; five seconds of them at once, then it is closed."),
    )
    suppression_dir: Path | None = Field(
        None,
        description=_(
            "Where erased people are listed, by keyed hashes, for the time after a restore: outside of what is "
            "restored. Empty: `suppression` in the data directory."
        ),
    )
    sockets_per_principal: int = Field(20, ge=1, description=_("Open sockets of one principal."))


class FileSettings(Group):
    """Uploads."""

    upload_limit_mb: int = Field(100, ge=1, le=10_000, description=_("Largest file."))
    quota_gb: int = Field(20, ge=1, description=_("Files of one organization together."))


class DocumentSettings(Group):
    """Documents and where they come from."""

    source_folders_root: Path | None = Field(
        None,
        description=_(
            "Folder of this server whose folders, one for each organization by its short name, may be read as sources "
            "of documents. Empty: there are no folder sources."
        ),
    )

    @field_validator("source_folders_root", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        if value is None or value == Path():  # an empty variable
            return None
        if not value.is_absolute():
            raise ValueError("must be an absolute path")
        return value


class ChatSettings(Group):
    """Messages."""

    restore_hours: int = Field(
        24,
        ge=0,
        le=720,
        description=_("Hours in which a deleted message can be brought back; 0 is not at all."),
    )
    offline_reading: bool = Field(
        True,
        description=_("People may keep the conversations they opened last on a device of theirs, for a day."),
    )


class SearchSettings(Group):
    """What searches may do, and what is kept of them."""

    search_rewriting: bool = Field(
        False, description=_("A search that found little may ask the language model for other words.")
    )
    search_rewriting_seconds: float = Field(
        6.0, ge=1, le=30, description=_("How long the language model may take for them.")
    )

    search_trace_days: int = Field(
        30,
        ge=1,
        le=365,
        description=_("Days it is kept what was searched for, how, and which hits were good."),
    )


class ModelSettings(Group):
    """The model process and the model gateway."""

    model_url: str = Field(
        "", description=_("unix:///path or http://host of the model process; empty means none.")
    )
    embedding: Literal["auto", "minilm", "hashed"] = Field("auto", description=_("Embedding provider."))
    query_embedding_timeout_ms: int = Field(
        150, ge=10, le=5000, description=_("Then search goes on with words only.")
    )
    token_vectors: bool = Field(
        True,
        description=_(
            "Search compares the best 50 passages with the question word by word; takes 3 KB for each passage."
        ),
    )
    llm_base_url: str = Field("", description=_("OpenAI-compatible endpoint, set by the operator only."))
    llm_model: str = Field("", description=_("Model name at that endpoint."))
    llm_api_key: SecretStr | None = Field(None, description=_("Key for that endpoint."))
    llm_timeout_seconds: float = Field(30.0, ge=1, le=600, description=_("Time to the first token."))
    llm_context_tokens: int = Field(8192, ge=512, description=_("Window of the model."))
    llm_price_in: Decimal = Field(
        Decimal(0), ge=0, description=_("Price of a million tokens of the prompt, for the usage ledger.")
    )
    llm_price_out: Decimal = Field(
        Decimal(0), ge=0, description=_("Price of a million tokens of the answer, for the usage ledger.")
    )
    llm_daily_tokens: int = Field(2_000_000, ge=0, description=_("Tokens an organization may use a day."))


class MailSettings(Group):
    """Outgoing mail."""

    mail_from: str = Field("chatsystem@localhost", description=_("Sender address."))
    smtp_url: SmtpUrl | None = Field(
        None,
        description=_(
            "smtp+tls://user:password@host:587?timeout=10 (STARTTLS), smtps:// (TLS) or smtp:// (neither); "
            "empty writes mail to files."
        ),
    )

    @property
    def server(self) -> smtp.SmtpServer | None:
        """Return the mail server, or None where mail is written to files."""
        return smtp.parse(self.smtp_url.get_secret_value()) if self.smtp_url else None


class NotificationSettings(Group):
    """How people are told outside of the app, and how they answer by mail."""

    mail_wait_seconds: int = Field(
        120,
        ge=0,
        le=3600,
        description=_("Notifications wait so long for others, and for being read, before mail."),
    )
    push_wait_seconds: int = Field(
        10, ge=0, le=600, description=_("Notifications wait so long for being read before a push message.")
    )
    mail_reply_address: str = Field(
        "",
        pattern=r"^([A-Za-z0-9._-]{1,14}@[A-Za-z0-9.-]{1,200})?$",
        description=_(
            "reply@chat.example.org: mail to reply+anything@ there is handed to `manage.py receive_mail`. "
            "Empty: mail cannot be answered."
        ),
    )
    mail_reply_days: int = Field(14, ge=1, le=90, description=_("Days a reply address is good for."))
    mail_reply_limit_mb: int = Field(25, ge=1, le=100, description=_("Largest mail taken as a reply."))
    mail_authserv_id: str = Field(
        "",
        description=_(
            "Name under which your mail server writes Authentication-Results; then only mail with dmarc=pass of it "
            "counts as a reply."
        ),
    )
    push_contact: str = Field(
        "",
        description=_(
            "mailto: or https: address that push services may turn to; empty is the sender address."
        ),
    )
    notification_days: int = Field(
        90, ge=7, le=3650, description=_("Days notifications and their delivery log are kept.")
    )


class OutboundSettings(Group):
    """What leaves the house."""

    outbound_proxy: Annotated[SecretStr | None, AfterValidator(_http_proxy)] = Field(
        None,
        description=_(
            "http://user:password@host:port of a proxy for what people and documents name; it is asked for addresses "
            "that were checked here."
        ),
    )
    operator_addresses: Annotated[str, AfterValidator(_http_addresses)] = Field(
        "",
        description=_(
            "More addresses, by comma, such as http://10.0.0.5:11434, that the server's own parts may reach; beside "
            "llm_base_url the only ones that may be private. People, documents and models never reach them."
        ),
    )
    source_addresses: Annotated[str, AfterValidator(_places)] = Field(
        "",
        description=_(
            "Servers inside your network, by comma, such as https://git.intern,https://minio.intern:9000,"
            "imaps://mail.intern, that administrators may name as sources of documents although they are private. "
            "Scheme, host and port are exact; nothing else that people name reaches them."
        ),
    )


ALL: tuple[type[Group], ...] = (
    ServerSettings, DatabaseSettings, RedisSettings, SecuritySettings, FileSettings, ModelSettings, MailSettings,
    NotificationSettings, OutboundSettings, ChatSettings, DocumentSettings, SearchSettings,
)  # fmt: skip
