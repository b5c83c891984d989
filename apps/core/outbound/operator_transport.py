"""For libraries that call a service of the operator over httpx2. Imported only where one is configured: it is large."""

from __future__ import annotations

from typing import Final

import httpx2

from apps.core.outbound.errors import AddressNotAllowed
from apps.core.outbound.operator import addresses

_DEFAULT_PORT: Final = {"http": 80, "https": 443}


class OperatorTransport(httpx2.HTTPTransport):
    """Sends to addresses of the operator's list and nowhere else, whatever the library above makes of an answer.

    No proxy and no certificate is taken from the environment.
    """

    def __init__(self, *, limits: httpx2.Limits) -> None:
        super().__init__(limits=limits, trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; a redirect that the client follows comes here again.

        Raises:
            AddressNotAllowed.
        """
        port = request.url.port or _DEFAULT_PORT.get(request.url.scheme, 0)
        if (request.url.host, port) not in addresses():
            raise AddressNotAllowed
        return super().handle_request(request)
