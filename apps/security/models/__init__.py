"""Privacy requests and legal holds; outcomes of verifications of the trail."""

from apps.security.models.privacy import LegalHold, PrivacyRequest
from apps.security.models.trail import AuditCheck

__all__ = ["AuditCheck", "LegalHold", "PrivacyRequest"]
