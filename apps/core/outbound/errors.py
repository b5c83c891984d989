"""Refusals of the fetcher. What is refused for its address is always told in the same words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, InvalidInput, NotFound, Unavailable


class AddressNotAllowed(DomainError):
    """Not public, not well formed, not on the organization's list, or a name without an address.

    One code and one text for all: the difference would tell what exists inside the house.
    """

    code = "core.address_not_allowed"
    status = 422
    message = _(
        "This address cannot be used. Only public http and https addresses that are allowed here can."
    )


class HostUnavailable(Unavailable):
    """The other side did not answer, or too slowly; trying again later is right."""

    code = "core.host_unavailable"
    message = _("The other server did not answer in time. Try again later.")


class FetchFailed(DomainError):
    """The other side answered, and not as HTTP or TLS ask for: trying again does not help."""

    code = "core.fetch_failed"
    status = 502
    message = _("The other server gave an answer that cannot be used.")


class TooManyRedirects(FetchFailed):
    code = "core.too_many_redirects"
    message = _("The address leads from one to the next too often.")


class FetchTooLarge(FetchFailed):
    code = "core.fetch_too_large"
    message = _("The other server's answer is larger than %(limit_kb)s KB.")


class ContentTypeNotAllowed(FetchFailed):
    code = "core.content_type_not_allowed"
    message = _("The other server's answer is of a kind that cannot be used here.")


class HostPatternInvalid(InvalidInput):
    code = "core.host_pattern_invalid"
    message = _("A host is a name such as `example.com`, or `*.example.com` for all below it.")


class OutboundHostNotFound(NotFound):
    code = "core.outbound_host_not_found"


class TooManyOutboundHosts(Conflict):
    code = "core.too_many_outbound_hosts"
    message = _("The list is full: it holds %(most)s hosts.")
