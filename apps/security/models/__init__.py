"""Privacy requests and legal holds; exports; outcomes of verifications of the trail."""

from apps.security.models.exports import DataExport
from apps.security.models.privacy import LegalHold, PrivacyRequest
from apps.security.models.trail import AuditCheck

__all__ = ["AuditCheck", "DataExport", "LegalHold", "PrivacyRequest"]
