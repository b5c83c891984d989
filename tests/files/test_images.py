"""Pictures: limits before decoding, metadata gone, pixels untouched."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from apps.files.errors import PictureTooLarge, PictureUnreadable
from apps.files.images import measure, square, thumbnail, without_metadata
from tests.factories.files import bomb, photo, picture


def test_a_picture_is_measured() -> None:
    assert measure(io.BytesIO(picture(size=(40, 30)))) == (40, 30)


@pytest.mark.parametrize("data", [bomb(), bomb(6_400, 6_400), bomb(2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_by_the_header(data: bytes) -> None:
    with pytest.raises(PictureTooLarge):
        measure(io.BytesIO(data))


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", picture()[:70], picture("JPEG")[:200], b"GIF89a"]
)
def test_a_damaged_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureUnreadable):
        measure(io.BytesIO(data))


def test_a_postscript_file_is_never_decoded() -> None:
    with pytest.raises(PictureUnreadable):
        measure(io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n"))


@pytest.mark.parametrize(
    ("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_metadata_goes_and_pixels_stay(kind: str, media_type: str) -> None:
    data = photo(kind=kind)
    assert b"SecretCamera" in data
    cleaned = without_metadata(io.BytesIO(data), media_type)
    assert cleaned is not None
    assert b"SecretCamera" not in cleaned
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(cleaned)) as after:
        assert before.tobytes() == after.tobytes()
        assert not after.getexif().get_ifd(0x8825)


def test_a_jpeg_keeps_its_direction() -> None:
    cleaned = without_metadata(io.BytesIO(photo(direction=6)), "image/jpeg")
    assert cleaned is not None
    with Image.open(io.BytesIO(cleaned)) as after:
        assert dict(after.getexif()) == {0x0112: 6}


def test_a_progressive_jpeg_survives() -> None:
    out = io.BytesIO()
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    noise.save(out, "JPEG", progressive=True, comment=b"SecretComment")
    cleaned = without_metadata(io.BytesIO(out.getvalue()), "image/jpeg")
    assert cleaned is not None
    assert b"SecretComment" not in cleaned
    with Image.open(out) as before, Image.open(io.BytesIO(cleaned)) as after:
        assert before.tobytes() == after.tobytes()


def test_what_hangs_behind_the_end_is_cut() -> None:
    for kind, media_type in (("JPEG", "image/jpeg"), ("PNG", "image/png")):
        data = picture(kind)
        assert without_metadata(io.BytesIO(data + b"<script>"), media_type) == data


def test_a_clean_picture_is_left_alone() -> None:
    assert without_metadata(io.BytesIO(picture("PNG")), "image/png") is None
    assert without_metadata(io.BytesIO(picture("GIF")), "image/gif") is None


def test_a_small_picture_is_upright_and_clean() -> None:
    small = thumbnail(io.BytesIO(photo(direction=6)), side=20)
    with Image.open(io.BytesIO(small)) as picture_:
        assert picture_.format == "WEBP"
        assert picture_.size == (15, 20)
    assert b"SecretCamera" not in small


def test_a_square_is_cut_from_the_middle() -> None:
    with Image.open(io.BytesIO(square(io.BytesIO(picture(size=(300, 100))), side=64))) as picture_:
        assert picture_.size == (64, 64)
