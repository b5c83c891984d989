"""Privacy requests and legal holds."""

from apps.security.models.privacy import LegalHold, PrivacyRequest

__all__ = ["LegalHold", "PrivacyRequest"]
