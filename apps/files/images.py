"""Pictures: really decoded, measured, freed of metadata, made small."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from typing import BinaryIO, Final

from PIL import Image, ImageOps, UnidentifiedImageError

from apps.files.errors import PictureTooLarge, PictureUnreadable

MOST_PIXELS: Final = 40_000_000
_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP")
_TROUBLE: Final = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    struct.error,
    EOFError,
    MemoryError,
)
_one_at_a_time = threading.Lock()  # 40 million pixels are 160 MB; two of them in one process are too many
_ORIENTATION: Final = 0x0112


def measure(file: BinaryIO) -> tuple[int, int]:
    """Decode the whole first frame and return (width, height) in pixels.

    Raises:
        PictureTooLarge: by its header, before anything is decoded.
        PictureUnreadable: damaged, or not one of the formats.
    """
    with _one_at_a_time, _opened(file) as picture:
        _load(picture)
        return picture.size


def thumbnail(file: BinaryIO, *, side: int) -> bytes:
    """Return the picture as WebP, upright, with no side longer than `side` pixels and no metadata.

    Raises:
        PictureTooLarge, PictureUnreadable.
    """
    with _one_at_a_time, _opened(file) as picture:
        picture.draft("RGB", (side, side))  # a JPEG is decoded small at once
        _load(picture)
        return _small(ImageOps.exif_transpose(picture), (side, side))


def square(file: BinaryIO, *, side: int) -> bytes:
    """Return the middle of the picture as a WebP square without metadata.

    Raises:
        PictureTooLarge, PictureUnreadable.
    """
    with _one_at_a_time, _opened(file) as picture:
        picture.draft("RGB", (side * 2, side * 2))
        _load(picture)
        upright = ImageOps.exif_transpose(picture)
        return _small(ImageOps.fit(_coloured(upright), (side, side)), (side, side))


def without_metadata(file: BinaryIO, media_type: str) -> bytes | None:
    """Return the file without place, camera and comments; pixels are not touched. None when nothing is in it.

    The direction of a JPEG is kept, as without it the picture lies on its side.
    """
    file.seek(0)
    data = file.read()
    file.seek(0)
    strip = {"image/jpeg": _strip_jpeg, "image/png": _strip_png, "image/webp": _strip_webp}.get(media_type)
    stripped = strip(data) if strip else data
    return None if stripped == data else stripped


def _opened(file: BinaryIO) -> Image.Image:
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata and bombs; the limit below is stricter
            picture = Image.open(file, formats=_FORMATS)
    except _TROUBLE as error:
        raise PictureUnreadable from error
    except Image.DecompressionBombError as error:
        raise PictureTooLarge(limit=MOST_PIXELS // 1_000_000) from error
    if picture.width * picture.height > MOST_PIXELS:
        picture.close()
        raise PictureTooLarge(limit=MOST_PIXELS // 1_000_000)
    return picture


def _load(picture: Image.Image) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture.load()
    except Image.DecompressionBombError as error:
        raise PictureTooLarge(limit=MOST_PIXELS // 1_000_000) from error
    except _TROUBLE as error:
        raise PictureUnreadable from error


def _coloured(picture: Image.Image) -> Image.Image:
    has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    return picture.convert("RGBA" if has_alpha else "RGB")


def _small(picture: Image.Image, size: tuple[int, int]) -> bytes:
    small = _coloured(picture)
    small.thumbnail(size)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=80, method=4, exif=b"", xmp=b"", icc_profile=None)
    return out.getvalue()


def _strip_jpeg(data: bytes) -> bytes:
    """Drop APP1 to APP15 (but the colour profile and Adobe's mark) and comments; put the direction back."""
    out, position, direction = bytearray(data[:2]), 2, _direction(data)
    if direction > 1:
        out += _exif_with_direction(direction)
    while position + 4 <= len(data) and data[position] == 0xFF and data[position + 1] != 0xD9:
        marker, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4], "big")
        segment = data[position : position + 2 + length]
        position += 2 + length
        keeps = segment[4:].startswith((b"ICC_PROFILE\x00", b"Adobe")) or marker == 0xE0
        if keeps or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            out += segment
        if marker == 0xDA:
            pixels = _end_of_scan(data, position)
            out += data[position:pixels]
            position = pixels
    return bytes(out) + b"\xff\xd9"  # a second picture behind the end is dropped with its metadata


def _end_of_scan(data: bytes, position: int) -> int:
    """Return where the compressed pixels end: at a marker that is neither stuffing nor a restart."""
    while (position := data.find(b"\xff", position)) >= 0:
        following = data[position + 1 : position + 2]
        if following and following not in b"\x00\xff" and not 0xD0 <= following[0] <= 0xD7:
            return position
        position += 1
    return len(data)


def _direction(data: bytes) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return int(Image.open(io.BytesIO(data), formats=("JPEG",)).getexif().get(_ORIENTATION, 1))
        except (*_TROUBLE, TypeError, KeyError, Image.DecompressionBombError):
            return 1


def _exif_with_direction(direction: int) -> bytes:
    """Return an APP1 segment whose only entry is the orientation (TIFF 6.0, big-endian)."""
    body = b"Exif\x00\x00MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, direction, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _strip_png(data: bytes) -> bytes:
    """Drop text, time and EXIF chunks, and what stands behind the end."""
    out, position = bytearray(data[:8]), 8
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        kind, chunk = data[position + 4 : position + 8], data[position : position + 12 + length]
        if kind not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"):
            out += chunk
        position += 12 + length
        if kind == b"IEND":
            break
    return bytes(out)


def _strip_webp(data: bytes) -> bytes:
    """Drop EXIF and XMP chunks and their flags in the extended header."""
    out, position = bytearray(), 12
    while position + 8 <= len(data):
        kind, length = (
            data[position : position + 4],
            int.from_bytes(data[position + 4 : position + 8], "little"),
        )
        chunk = bytearray(data[position : position + 8 + length + length % 2])
        if kind == b"VP8X" and len(chunk) > 8:
            chunk[8] &= ~0b0000_1100
        if kind not in (b"EXIF", b"XMP "):
            out += chunk
        position += 8 + length + length % 2
    return b"RIFF" + struct.pack("<I", len(out) + 4) + b"WEBP" + bytes(out)
