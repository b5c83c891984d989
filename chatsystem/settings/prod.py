"""Production: refuses to start in an unsafe state (see `apps.core.conf.safety`)."""

from apps.core.conf.safety import require_safe
from chatsystem.settings.base import *  # noqa: F403
from chatsystem.settings.base import CONFIGURATION, DEBUG

require_safe(CONFIGURATION, debug=DEBUG, loopback_http=False)
