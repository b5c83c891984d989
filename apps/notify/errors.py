"""Refusals of notifications."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, InvalidInput, NotFound


class NotificationNotFound(NotFound):
    code = "notify.notification_not_found"


class SubscriptionInvalid(InvalidInput):
    """An address that is no public https one, or keys that are none."""

    code = "notify.subscription_invalid"
    message = _("This browser's push address cannot be used.")


class TooManySubscriptions(DomainError):
    code = "notify.too_many_subscriptions"
    status = 409
    message = _("At most %(most)s browsers can get push messages.")


class TooManyKeywords(DomainError):
    code = "notify.too_many_keywords"
    status = 409
    message = _("At most %(most)s keywords.")


class KeywordInvalid(InvalidInput):
    """Empty, too long, or no word in it."""

    code = "notify.keyword_invalid"
    message = _("A keyword has 2 to 60 characters and at least one letter or digit.")


class SubjectInvalid(InvalidInput):
    """No app knows such a subject, or the caller does not see it."""

    code = "notify.subject_invalid"
    message = _("There is nothing of this name that can be followed or muted.")


class MailRefused(DomainError):
    """A mail that is not taken as a reply; subclasses say why."""

    code = "notify.mail_refused"
    status = 422
    message = _("This mail was not taken.")


class ReplyAddressUnknown(MailRefused):
    """No such address, a wrong signature, or its time is over."""

    code = "notify.reply_address_unknown"
    message = _("This reply address does not exist or has expired. Open the message and answer there.")


class SenderForeign(MailRefused):
    """The mail does not come from the person the address was made for."""

    code = "notify.sender_foreign"
    message = _("A reply counts only from the address the mail was sent to.")


class MailAutomatic(MailRefused):
    """An out-of-office answer, a bounce, a mailing list or our own mail."""

    code = "notify.mail_automatic"
    message = _("Automatic answers are not posted.")


class MailTooLarge(MailRefused):
    code = "notify.mail_too_large"
    message = _("The mail is larger than %(limit_mb)s MB.")


class MailTooManyFiles(MailRefused):
    code = "notify.mail_too_many_files"
    message = _("A reply brings at most %(most)s files.")


class MailUnreadable(MailRefused):
    """No message that can be read."""

    code = "notify.mail_unreadable"
    message = _("The mail cannot be read.")


class MailEmpty(MailRefused):
    """Nothing is left without what was quoted."""

    code = "notify.mail_empty"
    message = _("The reply is empty once the quoted text is taken away.")
