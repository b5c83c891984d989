"""HTTP and WebSockets on one port."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsystem.settings.embedded")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()  # loads the apps, before anything imports their models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from apps.chat.consumers import ClientConsumer  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter([path("ws/v1/", ClientConsumer.as_asgi())]),
    }
)
