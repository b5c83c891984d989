"""Files, uploaded through the real service, and small contents of each kind."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image

from apps.accounts.models import Member
from apps.core import tenancy
from apps.files.services.uploads import store_file
from apps.files.types import FileView
from tests.factories.accounts import principal_of


def upload(member: Member, name: str = "note.txt", data: bytes = b"a note\n") -> FileView:
    """Upload a file as a member."""
    with tenancy.use(member.organization_id):
        return store_file(principal=principal_of(member), name=name, data=data)


def picture(kind: str = "PNG", *, size: tuple[int, int] = (40, 30), colour: str = "teal") -> bytes:
    """Return a picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def photo(*, kind: str = "JPEG", direction: int = 6) -> bytes:
    """Return a picture that names a camera and a place, lying on its side."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = direction
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 15.5)
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, kind, exif=exif)
    return out.getvalue()


def bomb(width: int = 40_000, height: int = 40_000) -> bytes:
    """Return a PNG whose header announces far too many pixels."""
    data = bytearray(picture())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def archive(*names: str) -> bytes:
    """Return a zip with empty members of these names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "")
    return out.getvalue()
