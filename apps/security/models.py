"""Privacy requests and legal holds."""

from apps.security.privacy_models import LegalHold, PrivacyRequest

__all__ = ["LegalHold", "PrivacyRequest"]
