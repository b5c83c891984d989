"""Encryption and signature of push messages against the RFCs' own example, and read back by their other end."""

from __future__ import annotations

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from apps.notify.services import web_push
from tests.notify.push_server import decrypted

# RFC 8291, Appendix A.
TEXT = b"When I grow up, I want to be a watermelon"
BROWSER_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
BROWSER_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SERVER_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SECRET, SALT = "BTBZMqHH6r4Tts7J_aSIgg", "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def private(text: str) -> object:
    return derive_private_key(int.from_bytes(web_push.decode(text), "big"), SECP256R1())


def test_the_example_of_the_rfc_comes_out_byte_by_byte() -> None:
    body = web_push.encrypt(
        web_push.BrowserKeys.read(BROWSER_POINT, SECRET),
        TEXT,
        salt=web_push.decode(SALT),
        own=private(SERVER_KEY),  # type: ignore[arg-type]
        pad_to=0,
    )
    assert web_push.encode(body) == BODY


def test_the_browser_reads_what_was_sent_and_lengths_look_alike() -> None:
    keys = web_push.BrowserKeys.read(BROWSER_POINT, SECRET)
    bodies = [web_push.encrypt(keys, text) for text in (b"", b"short", b"x" * 512)]
    read = [decrypted(body, private(BROWSER_KEY), web_push.decode(SECRET)) for body in bodies]  # type: ignore[arg-type]
    assert read == [b"", b"short", b"x" * 512]
    assert len({len(body) for body in bodies}) == 1
    assert len({body[:16] for body in bodies}) == 3


@pytest.mark.parametrize(
    ("point", "secret"),
    [("", SECRET), (BROWSER_POINT, ""), (BROWSER_POINT[:-4], SECRET), ("B" * 87, SECRET), ("ä", SECRET)],
)
def test_keys_that_are_none_are_refused(point: str, secret: str) -> None:
    with pytest.raises(web_push.KeysInvalid):
        web_push.BrowserKeys.read(point, secret)


def test_the_signature_names_the_server_and_verifies() -> None:
    key = generate_private_key(SECP256R1())
    header = web_push.signed(
        key, audience="https://push.example.org", contact="mailto:ops@example.org", expires_at=1_800_000_000
    )
    token, _, shown = header.removeprefix("vapid t=").partition(", k=")
    head, claims, signature = token.split(".")
    raw = web_push.decode(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key.public_key().verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ECDSA(hashes.SHA256()))
    assert orjson.loads(web_push.decode(head)) == {"typ": "JWT", "alg": "ES256"}
    assert orjson.loads(web_push.decode(claims)) == {
        "aud": "https://push.example.org",
        "exp": 1_800_000_000,
        "sub": "mailto:ops@example.org",
    }
    assert web_push.decode(shown) == web_push.raw(key.public_key())
