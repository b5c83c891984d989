"""Slack's names of emoji. Most are Unicode's own names; those that differ and are used much stand here."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# fmt: off
_NAMES = {
    "+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "ok_hand": "👌", "clap": "👏", "pray": "🙏",
    "raised_hands": "🙌", "wave": "👋", "muscle": "💪", "point_up": "☝️", "point_down": "👇",
    "point_left": "👈", "point_right": "👉", "point_up_2": "👆", "fist": "✊", "facepunch": "👊",
    "punch": "👊", "v": "✌️", "crossed_fingers": "🤞", "handshake": "🤝", "call_me_hand": "🤙",
    "raised_hand": "✋", "hand": "✋", "smile": "😄", "smiley": "😃", "grin": "😁", "laughing": "😆",
    "satisfied": "😆", "sweat_smile": "😅", "joy": "😂", "rolling_on_the_floor_laughing": "🤣", "rofl": "🤣",
    "slightly_smiling_face": "🙂", "upside_down_face": "🙃", "wink": "😉", "blush": "😊", "innocent": "😇",
    "heart_eyes": "😍", "star-struck": "🤩", "kissing_heart": "😘", "yum": "😋", "stuck_out_tongue": "😛",
    "stuck_out_tongue_winking_eye": "😜", "zany_face": "🤪", "hugging_face": "🤗", "thinking_face": "🤔",
    "thinking": "🤔", "zipper_mouth_face": "🤐", "face_with_raised_eyebrow": "🤨", "neutral_face": "😐",
    "expressionless": "😑", "no_mouth": "😶", "smirk": "😏", "unamused": "😒", "face_with_rolling_eyes": "🙄",
    "grimacing": "😬", "relieved": "😌", "pensive": "😔", "sleepy": "😪", "sleeping": "😴", "mask": "😷",
    "face_with_thermometer": "🤒", "nauseated_face": "🤢", "exploding_head": "🤯", "partying_face": "🥳",
    "sunglasses": "😎", "nerd_face": "🤓", "confused": "😕", "worried": "😟", "slightly_frowning_face": "🙁",
    "open_mouth": "😮", "astonished": "😲", "flushed": "😳", "pleading_face": "🥺", "fearful": "😨",
    "cold_sweat": "😰", "cry": "😢", "sob": "😭", "scream": "😱", "disappointed": "😞", "sweat": "😓",
    "weary": "😩", "tired_face": "😫", "rage": "😡", "angry": "😠", "skull": "💀", "hankey": "💩",
    "poop": "💩", "robot_face": "🤖", "see_no_evil": "🙈", "hear_no_evil": "🙉", "speak_no_evil": "🙊",
    "saluting_face": "🫡", "melting_face": "🫠", "shrug": "🤷", "facepalm": "🤦", "face_palm": "🤦",
    "man-shrugging": "🤷‍♂️", "woman-shrugging": "🤷‍♀️", "man-facepalming": "🤦‍♂️", "woman-facepalming": "🤦‍♀️",
    "raising_hand": "🙋", "heart": "❤️", "orange_heart": "🧡", "broken_heart": "💔", "two_hearts": "💕",
    "sparkling_heart": "💖", "100": "💯", "boom": "💥", "collision": "💥", "dizzy": "💫", "zzz": "💤",
    "speech_balloon": "💬", "tada": "🎉", "sparkles": "✨", "star": "⭐", "star2": "🌟", "zap": "⚡",
    "sunny": "☀️", "rainbow": "🌈", "snowflake": "❄️", "ocean": "🌊", "coffee": "☕", "tea": "🍵", "beer": "🍺",
    "beers": "🍻", "champagne": "🍾", "cake": "🍰", "birthday": "🎂", "cookie": "🍪", "pizza": "🍕",
    "hamburger": "🍔", "apple": "🍎", "dog": "🐶", "cat": "🐱", "bug": "🐛", "car": "🚗", "airplane": "✈️",
    "bike": "🚲", "house": "🏠", "gift": "🎁", "medal": "🏅", "sports_medal": "🏅", "first_place_medal": "🥇",
    "trophy": "🏆", "soccer": "⚽", "bulb": "💡", "moneybag": "💰", "email": "✉️", "envelope": "✉️",
    "inbox_tray": "📥", "outbox_tray": "📤", "memo": "📝", "pencil": "📝", "pencil2": "✏️", "calendar": "📆",
    "date": "📅", "chart_with_upwards_trend": "📈", "chart_with_downwards_trend": "📉", "pushpin": "📌",
    "round_pushpin": "📍", "paperclip": "📎", "lock": "🔒", "unlock": "🔓", "key": "🔑", "mag": "🔍",
    "link": "🔗", "wrench": "🔧", "hammer_and_wrench": "🛠️", "gear": "⚙️", "iphone": "📱", "computer": "💻",
    "phone": "☎️", "telephone": "☎️", "bell": "🔔", "no_bell": "🔕", "loudspeaker": "📢", "mega": "📣",
    "hourglass": "⌛", "hourglass_flowing_sand": "⏳", "alarm_clock": "⏰", "stopwatch": "⏱️",
    "white_check_mark": "✅", "heavy_check_mark": "✔️", "ballot_box_with_check": "☑️", "x": "❌",
    "negative_squared_cross_mark": "❎", "warning": "⚠️", "no_entry": "⛔", "no_entry_sign": "🚫",
    "octagonal_sign": "🛑", "question": "❓", "grey_question": "❔", "exclamation": "❗",
    "heavy_exclamation_mark": "❗", "bangbang": "‼️", "interrobang": "⁉️", "heavy_plus_sign": "➕",
    "heavy_minus_sign": "➖", "information_source": "ℹ️", "arrow_up": "⬆️", "arrow_down": "⬇️", "arrow_left": "⬅️",
    "arrow_right": "➡️", "arrows_counterclockwise": "🔄", "repeat": "🔁", "recycle": "♻️", "copyright": "©️",
    "tm": "™️", "new": "🆕", "ok": "🆗", "sos": "🆘", "cool": "🆒", "red_circle": "🔴",
    "large_blue_circle": "🔵", "large_green_circle": "🟢", "large_yellow_circle": "🟡",
    "large_orange_circle": "🟠", "white_circle": "⚪", "black_circle": "⚫", "red_square": "🟥",
    "large_green_square": "🟩", "checkered_flag": "🏁", "rainbow-flag": "🏳️‍🌈", "zero": "0️⃣", "one": "1️⃣",
    "two": "2️⃣", "three": "3️⃣", "four": "4️⃣", "five": "5️⃣", "six": "6️⃣", "seven": "7️⃣", "eight": "8️⃣",
    "nine": "9️⃣", "keycap_ten": "🔟", "building_construction": "🏗️", "partly_sunny": "⛅", "santa": "🎅",
    "christmas_tree": "🎄", "jack_o_lantern": "🎃",
}
# fmt: on
_TONES = {"2": "🏻", "3": "🏼", "4": "🏽", "5": "🏾", "6": "🏿"}
_LETTERS = {chr(97 + number): chr(0x1F1E6 + number) for number in range(26)}


def as_emoji(name: str, tone: str = "") -> str | None:
    """Return the emoji of one of Slack's names, `thumbsup` or `thumbsup::skin-tone-3`, or None for an own one."""
    name, _, spelled = name.partition("::skin-tone-")
    found = _named(name)
    return found + _TONES.get(tone or spelled, "") if found else None


@lru_cache(maxsize=4096)
def _named(name: str) -> str | None:
    if name in _NAMES:
        return _NAMES[name]
    if name.startswith("flag-") and len(name) == 7 and name[5:].isascii() and name[5:].isalpha():
        return "".join(_LETTERS[letter] for letter in name[5:].lower())
    try:
        found = unicodedata.lookup(name.replace("_", " ").replace("-", " "))
    except (KeyError, ValueError):
        return None
    return found if unicodedata.category(found) == "So" else None
