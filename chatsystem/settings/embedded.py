"""`./run`: production's hardness with loopback http, generated secrets, mail written to files."""

from apps.core.conf.safety import require_safe
from chatsystem.settings.base import *  # noqa: F403
from chatsystem.settings.base import CONFIGURATION, DEBUG

require_safe(CONFIGURATION, debug=DEBUG, loopback_http=True)
