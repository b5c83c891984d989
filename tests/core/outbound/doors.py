"""The two doors of the fetcher, as tests name them."""

from __future__ import annotations

from collections.abc import Callable

from apps.core.outbound.types import Fetched
from tests.core.outbound_servers import Names

Get = Callable[..., Fetched]
UsePolicy = Callable[..., Names]
