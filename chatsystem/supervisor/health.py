"""Whether our web processes answer: by instance id, because a healthy answer may come from a stranger."""

import http.client
import json
import select
import time

_PATIENCE_SECONDS = 5.0


class HealthProbe:
    """Asks the readiness page again and again, without ever waiting for the answer."""

    def __init__(self, *, host: str, port: int, instance: str, path: str = "/readyz") -> None:
        self._address = (host, port)
        self._instance = instance
        self._path = path
        self._asked: http.client.HTTPConnection | None = None
        self._asked_at = 0.0

    def is_ready(self) -> bool:
        """True once a process of this instance has said that it is ready."""
        try:
            if self._asked is None:
                self._ask()
            return self._has_answered_well()
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return False

    def _ask(self) -> None:
        host, port = self._address
        self._asked = http.client.HTTPConnection(host, port, timeout=_PATIENCE_SECONDS)
        self._asked_at = time.monotonic()
        self._asked.request("GET", self._path, headers={"Accept": "application/json"})

    def _has_answered_well(self) -> bool:
        asked = self._asked
        if asked is None or asked.sock is None or not select.select([asked.sock], [], [], 0)[0]:
            if time.monotonic() - self._asked_at > _PATIENCE_SECONDS:
                self.close()
            return False
        response = asked.getresponse()
        said = json.loads(response.read())
        self.close()
        is_ours = isinstance(said, dict) and said.get("instance") == self._instance
        return is_ours and response.status == http.HTTPStatus.OK

    def close(self) -> None:
        """Forget the question that was asked last."""
        if self._asked is not None:
            self._asked.close()
            self._asked = None
