"""What was told of a message goes with it to another channel, or is taken back from who does not read there."""

from __future__ import annotations

from apps.chat.services import notifying, reading
from apps.chat.services.moving import move_messages
from apps.notify.models import Delivery, Notification
from apps.notify.selectors.notifications import list_page, unread_count
from tests.chat.world import World
from tests.notify.telling import mention


def test_a_notification_goes_with_its_message(world: World) -> None:
    mod, ada, ben = world.person("Mod", role="moderator"), world.person("Ada"), world.person("Ben")
    source, target = world.channel(mod, "source", [ada, ben]), world.channel(mod, "target", [ada])
    root = world.say(mod, source, f"{mention(ada, ben)} look")
    reply = world.say(mod, source, f"{mention(ben)} here", thread=root.id)
    for sent in (root, reply):
        notifying.tell_of(sent.id)
    assert (unread_count(ada), unread_count(ben)) == (1, 2)
    move_messages(principal=mod, message_id=root.id, conversation_id=target)
    # who is not there has nothing on the bell that its list does not show, and gets no mail of it
    assert unread_count(ben) == 0
    assert list_page(ben).rows == []
    waiting = Delivery.objects.filter(state="waiting").values_list("notification__recipient_id", flat=True)
    assert set(waiting) == {ada.id}
    # who is there reads it there, and not where it stood
    assert unread_count(ada) == 1
    assert f"/c/{target}/" in list_page(ada).rows[0].described.url
    newest = Notification.objects.get(recipient_id=ada.id).sequence
    reading.move_marker(principal=ada, conversation_id=source, sequence=reply.sequence)
    assert unread_count(ada) == 1
    reading.move_marker(principal=ada, conversation_id=target, sequence=newest)
    assert unread_count(ada) == 0


def test_a_move_within_the_channel_leaves_the_bell_alone(world: World) -> None:
    mod, ada = world.person("Mod", role="moderator"), world.person("Ada")
    channel = world.channel(mod, "here", [ada])
    sent = world.say(mod, channel, f"{mention(ada)} look")
    notifying.tell_of(sent.id)
    move_messages(principal=mod, message_id=sent.id, topic="elsewhere")
    assert unread_count(ada) == 1
