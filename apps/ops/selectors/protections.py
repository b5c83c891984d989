"""What protects this installation and this organization: what is on, what is off and why. For the console."""

from __future__ import annotations

from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.selectors.factors import ADMINISTRATORS, EVERYBODY, get_policy
from apps.accounts.services import signing_keys
from apps.accounts.types import Principal
from apps.core.outbound.operator import DOCUMENT_SOURCE, places_for
from apps.core.redis import client
from apps.core.selectors.outbound_hosts import list_hosts
from apps.core.services.database_roles import count_forced_walls, missing_walls
from apps.ops.types import Protection
from apps.security.selectors.trail import find_last_check

OLD_CHECK_DAYS = 7


def list_protections(principal: Principal) -> list[Protection]:
    """Return every protection in the order of the page. Six queries, one round trip to Redis."""
    return [
        profile(), transport(), cookies(), content_policy(), file_host(), proxies(), rate_limits(), sessions(),
        second_factor(principal), walls(), stored_secrets(), token_keys(), older_keys(), trail(principal),
        outbound(principal), unused_keys(), metrics(), mail(),
    ]  # fmt: skip


def profile() -> Protection:
    """Refusals at the start, and no inner life on error pages."""
    name = _("Start-up checks")
    if settings.DEBUG:
        why = _("Error pages show code and settings. This is for one developer's machine.")
        return Protection("profile", name, "bad", _("development, DEBUG is on"), why)
    if settings.PROFILE in ("prod", "embedded"):
        why = _("It does not start with weak secrets, DEBUG or any host name.")
        return Protection("profile", name, "ok", settings.PROFILE, why)
    return Protection(
        "profile", name, "warn", settings.PROFILE, _("This profile does not refuse unsafe settings.")
    )


def transport() -> Protection:
    """https and HSTS."""
    if _is_https():
        return Protection(
            "transport", _("Encrypted connections"), "ok", _("https, and browsers insist on it (HSTS)")
        )
    why = _("The public address begins with http. That is accepted on this machine's own loopback only.")
    return Protection("transport", _("Encrypted connections"), "warn", _("off"), why)


def cookies() -> Protection:
    """Where cookies go and who reads them."""
    if _is_https():
        return Protection(
            "cookies", _("Cookies"), "ok", _("bound to this host, encrypted only, hidden from scripts")
        )
    why = _("They are hidden from scripts and foreign pages, but bound to the host only with https.")
    return Protection("cookies", _("Cookies"), "warn", _("partly"), why)


def content_policy() -> Protection:
    """Scripts of pages."""
    said = _("scripts by a nonce of each answer, no other site may read or frame")
    return Protection("policy", _("Content policy"), "ok", said)


def file_host() -> Protection:
    """Where files of strangers are opened."""
    name = _("Files people sent")
    if settings.FILES_BASE_URL:
        return Protection("files", name, "ok", _("from a host of their own, by links of five minutes"))
    why = _(
        "They run nothing and most are only saved; another host name would keep them apart from sessions too."
    )
    return Protection("files", name, "off", _("from the same host, in a sandbox"), why)


def proxies() -> Protection:
    """Whose word about addresses counts."""
    count = settings.CONFIGURATION.server.trusted_proxies
    why = _("Limits and address ranges of keys count the address that connects; headers are not believed.")
    if count:
        why = _(
            "They must overwrite X-Forwarded-For and X-Forwarded-Proto, and nothing else may reach the server."
        )
    said = ngettext("%(count)s is believed", "%(count)s are believed", count) % {"count": count}
    return Protection("proxies", _("Proxies in front"), "ok", said, why)


def rate_limits() -> Protection:
    """How they are counted."""
    security = settings.CONFIGURATION.security
    said = _("%(requests)s requests and %(messages)s messages a minute for each account") % {
        "requests": security.requests_per_minute,
        "messages": security.messages_per_minute,
    }
    try:
        client().ping()
    except redis.RedisError:
        why = _("Redis is away: each web process counts its share alone.")
        return Protection("limits", _("Rate limits"), "warn", said, why, "status")
    why = _("Counted together over pages, API and sockets, by account, key, organization and network.")
    return Protection("limits", _("Rate limits"), "ok", said, why)


def sessions() -> Protection:
    """When browsers have to sign in again."""
    days = settings.CONFIGURATION.security.session_days
    said = ngettext(
        "end after %(days)s day without use", "end after %(days)s days without use", days
    ) % {"days": days}  # fmt: skip
    return Protection("sessions", _("Sessions"), "ok", said, _("And after 30 days in any case."), "people")


def second_factor(principal: Principal) -> Protection:
    """Who has to have one in this organization."""
    name, asked = _("Sign-in with two factors"), get_policy(principal.organization_id)
    if asked.policy == EVERYBODY:
        return Protection("factor", name, "ok", _("needed by everybody"), page="second-factor")
    if asked.policy == ADMINISTRATORS:
        return Protection("factor", name, "ok", _("needed by administrators"), page="second-factor")
    why = _("A stolen password opens everything its owner may do.")
    return Protection("factor", name, "off", _("left to each person"), why, "second-factor")


def walls() -> Protection:
    """Row security."""
    name, missing = _("Walls between organizations"), missing_walls()
    forced, tables = count_forced_walls()
    if missing:
        why = _(
            "This database lacks the roles %(roles)s. Organizations are kept apart by the application alone."
        )
        return Protection("walls", name, "warn", _("missing"), why % {"roles": ", ".join(missing)}, "status")
    said = _("%(forced)s of %(tables)s tables behind forced row security") % {
        "forced": forced,
        "tables": tables,
    }
    return Protection("walls", name, "ok" if forced == tables else "bad", said)


def stored_secrets() -> Protection:
    """What encrypts secrets that are read again."""
    name = _("Encryption of stored secrets")
    if settings.CONFIGURATION.security.encryption_keys is not None:
        return Protection("secrets", name, "ok", _("with keys of their own"), page="encryption")
    why = _(
        "The keys are made from the secret key; with keys of their own they can be changed without the cookies'."
    )
    return Protection("secrets", name, "off", _("with the secret key"), why, "encryption")


def token_keys() -> Protection:
    """The key that signs access tokens."""
    name, newest = _("Key of access tokens"), next(iter(signing_keys.believed()), None)
    if newest is None:
        return Protection("tokens", name, "ok", _("none yet, one is made at the first token"))
    days = (timezone.now() - newest.created_at).days
    said = ngettext("%(days)s day old", "%(days)s days old", days) % {"days": days}
    is_late = days > 100
    why = _("It should have been replaced after 90 days: the relay does that.") if is_late else ""
    return Protection("tokens", name, "warn" if is_late else "ok", said, why)


def older_keys() -> Protection:
    """A rotation of the cookie key that was not finished."""
    count = len(settings.SECRET_KEY_FALLBACKS)
    if not count:
        return Protection("fallbacks", _("Older secret keys"), "ok", _("none"))
    said = ngettext("%(count)s is still believed", "%(count)s are still believed", count) % {"count": count}
    why = _("Take it out once the life of a session has passed since the change.")
    return Protection("fallbacks", _("Older secret keys"), "off", said, why)


def trail(principal: Principal) -> Protection:
    """The organization's audit trail."""
    name, check = _("Audit trail"), find_last_check(principal.organization_id)
    if check is None:
        return Protection(
            "trail", name, "warn", _("never verified"), _("An auditor starts it on its page."), "audit"
        )
    when, findings = check
    said = _("verified on %(day)s") % {"day": date_format(timezone.localtime(when), "SHORT_DATE_FORMAT")}
    if findings:
        found = ngettext("%(count)s finding", "%(count)s findings", findings) % {"count": findings}
        return Protection("trail", name, "bad", f"{said}: {found}", _("Somebody changed it."), "audit")
    is_old = (timezone.now() - when).days > OLD_CHECK_DAYS
    return Protection("trail", name, "warn" if is_old else "ok", said, page="audit")


def outbound(principal: Principal) -> Protection:
    """What the server reaches for people."""
    listed = list_hosts(organization_id=principal.organization_id)
    allowed = sum(host.is_allowed for host in listed)
    said = ngettext(
        "public addresses, %(count)s host named", "public addresses, %(count)s hosts named", len(listed)
    ) % {"count": len(listed)}  # fmt: skip
    if allowed:
        said = ngettext("%(count)s host only", "%(count)s hosts only", allowed) % {"count": allowed}
    why = _("Never an address inside, whatever a person, a document or a model names.")
    if places := len(places_for(DOCUMENT_SOURCE)):
        why = ngettext(
            "No address inside but %(count)s place that the operator named for sources of documents.",
            "No address inside but %(count)s places that the operator named for sources of documents.",
            places,
        ) % {"count": places}  # fmt: skip
    return Protection("outbound", _("Outgoing connections"), "ok", said, why, "outbound")


def unused_keys() -> Protection:
    """API keys nobody uses."""
    name, days = _("Unused API keys"), settings.CONFIGURATION.security.key_unused_days
    if not days:
        why = _("CHATSYSTEM_KEY_UNUSED_DAYS is 0: a forgotten key opens until its end.")
        return Protection("keys", name, "off", _("stay open"), why, "keys")
    said = ngettext("are suspended after %(days)s day", "are suspended after %(days)s days", days) % {
        "days": days
    }
    return Protection("keys", name, "ok", said, page="keys")


def metrics() -> Protection:
    """Who sees `/metrics`."""
    if settings.CONFIGURATION.server.metrics_token is not None:
        return Protection("metrics", _("Metrics"), "ok", _("with a token"))
    return Protection("metrics", _("Metrics"), "ok", _("to this machine only, while it is not public"))


def mail() -> Protection:
    """How mail leaves."""
    server = settings.CONFIGURATION.mail.server
    if server is None:
        why = _("No mail server is set: mail is written to files on the server.")
        return Protection("mail", _("Mail"), "off", _("not sent"), why, "settings")
    if server.is_encrypted:
        return Protection("mail", _("Mail"), "ok", _("encrypted to the mail server"))
    return Protection(
        "mail", _("Mail"), "warn", _("readable on its way"), _("CHATSYSTEM_SMTP_URL begins with smtp://.")
    )


def _is_https() -> bool:
    return urlsplit(settings.PUBLIC_URL).scheme == "https"
