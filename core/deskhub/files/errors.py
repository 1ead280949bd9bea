"""What an upload or a download can be refused for."""

from __future__ import annotations

from deskhub.errors import HubError


class FileTooLarge(HubError):
    """A file over the limit of bytes."""

    code = "file_too_large"
    status = 413
    retry = "never"
    text = "This file is too large. The limit is 10 MB."


class FileEmpty(HubError):
    """A file without a single byte."""

    code = "file_empty"
    status = 422
    retry = "never"
    text = "This file is empty."


class FileTypeRefused(HubError):
    """Content that is on no list: a program, a page, an SVG, or two things at once."""

    code = "file_type_refused"
    status = 415
    retry = "never"
    text = "Files of this kind cannot be sent. Photos, PDF, office, sound and video can."


class PictureDamaged(HubError):
    """Content that begins like a picture and cannot be read as one."""

    code = "picture_damaged"
    status = 422
    retry = "never"
    text = "This picture is damaged and cannot be shown."


class PictureTooLarge(HubError):
    """A picture of more than 25 megapixels, however few bytes it has."""

    code = "picture_too_large"
    status = 422
    retry = "never"
    text = "This picture has too many pixels. The limit is 25 megapixels."


class PictureTooCostly(HubError):
    """A picture that wants more time or memory than one may take."""

    code = "picture_too_costly"
    status = 422
    retry = "never"
    text = "This picture takes too much work to read. Save it as JPEG and try again."


class UploadTooSlow(HubError):
    """An upload that stalled or took longer than its deadline."""

    code = "upload_too_slow"
    status = 408
    retry = "later"
    text = "The upload took too long. Try again with a better connection."


class TooManyFiles(HubError):
    """One person has too many files that no message uses, or too many uploads at once."""

    code = "too_many_files"
    status = 429
    retry = "later"
    text = "Too many files wait to be sent. Send or remove some first."


class LinkExpired(HubError):
    """An address that is too old, was changed, or whose owner may no longer see the file."""

    code = "file_link_expired"
    status = 403
    retry = "never"
    text = "This address has expired. Open the file from the conversation again."


class FilesDown(HubError):
    """The place where files are kept does not answer."""

    code = "files_down"
    status = 503
    retry = "later"
    text = "Files cannot be stored or read right now. Text messages still work."
