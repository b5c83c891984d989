"""Refusals of files."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, InvalidInput, NotFound, TooManyRequests


class FileNotFound(NotFound):
    code = "files.not_found"


class EmptyFile(InvalidInput):
    code = "files.empty"
    message = _("The file is empty.")


class FileTooLarge(DomainError):
    code = "files.too_large"
    status = 413
    message = _("A file has at most %(limit_mb)s MB.")


class QuotaExceeded(DomainError):
    code = "files.quota_exceeded"
    status = 413
    message = _("The files of this organization have reached their limit of %(limit_gb)s GB.")


class TooManyUploads(TooManyRequests):
    code = "files.too_many_uploads"
    message = _("At most %(limit)s files are uploaded at once. Wait until one is done.")


class WrongOffset(Conflict):
    """The chunk does not begin where the upload stands; the client asks where it stands and goes on."""

    code = "files.wrong_offset"
    message = _("The upload goes on at byte %(received_bytes)s.")


class MoreThanAnnounced(DomainError):
    code = "files.more_than_announced"
    status = 422
    message = _("The file is larger than it was announced.")


class ChunkTooLarge(DomainError):
    code = "files.chunk_too_large"
    status = 413
    message = _("A part of a file has at most %(limit_mb)s MB.")


class RangeInvalid(InvalidInput):
    code = "files.range_invalid"
    message = _("Say which bytes these are: `Content-Range: bytes first-last/total`.")


class TypeMismatch(DomainError):
    code = "files.type_mismatch"
    status = 415
    message = _("The content is not what the name says: %(name)s.")


class TypeRefused(DomainError):
    code = "files.type_refused"
    status = 415
    message = _("Programs cannot be uploaded.")


class PictureUnreadable(DomainError):
    code = "files.picture_unreadable"
    status = 422
    message = _("The picture is damaged.")


class PictureTooLarge(DomainError):
    code = "files.picture_too_large"
    status = 422
    message = _("A picture has at most %(limit)s million pixels.")


class NotAPicture(DomainError):
    code = "files.not_a_picture"
    status = 415
    message = _("Choose a picture: PNG, JPEG, WebP or GIF.")


class UploadFailed(Conflict):
    code = "files.upload_failed"
    message = _("This upload failed. Start it again.")


class FileInUse(Conflict):
    code = "files.in_use"
    message = _("The file belongs to a message or a document. Delete that first.")


class StorageFull(DomainError):
    code = "files.storage_full"
    status = 507
    message = _("The server has no room left for files. Nothing was lost; try again later.")


class ContentMissing(DomainError):
    """The row is there and the bytes are not: an operator has to look."""

    code = "files.content_missing"
    status = 500
    message = _("The content of this file cannot be read.")
