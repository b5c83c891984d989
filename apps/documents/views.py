"""Pictures of pages for our own pages, under `/o/<slug>/`."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.accounts.types import Principal
from apps.documents.errors import DocumentNotFound, PageNotFound
from apps.documents.services.pictures import WIDTHS, page_picture
from apps.files.services.delivery import small_response


@require_safe
def page_image(request: HttpRequest, slug: str, document_id: UUID, number: int) -> HttpResponse:  # noqa: ARG001
    """Deliver a PDF page as a picture; `?large` for the wide one."""
    principal: Principal = request.principal  # type: ignore[attr-defined]  # set by the middleware
    width = WIDTHS[-1] if "large" in request.GET else WIDTHS[0]
    try:
        data = page_picture(principal=principal, document_id=document_id, number=number, width=width)
    except (DocumentNotFound, PageNotFound) as error:
        raise Http404 from error
    key = f"{document_id}:{number}:{width}"
    return small_response(request, data, media_type="image/png", key=key)
