"""Let the principal cache of this process hear of revocations through the hub of its event loop."""

from __future__ import annotations

from apps.accounts.services import principal_cache
from apps.core.realtime.hub import get_hub


async def start() -> None:
    """Follow the channel once per process; cheap when that is done."""
    if principal_cache.is_followed():
        return
    hub = await get_hub()
    principal_cache.follow(await hub.listen(principal_cache.CHANNEL, principal_cache.on_frame))
