"""Files of pages, under `/o/<slug>/`. A link is no key: each request asks for the rights again."""

from __future__ import annotations

from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from apps.accounts.types import Principal
from apps.files.errors import FileNotFound, NotAPicture
from apps.files.selectors.files import get_content
from apps.files.services import delivery, pictures
from apps.files.types import Content


@require_safe
async def file(request: HttpRequest, slug: str, file_id: UUID, name: str = "") -> HttpResponseBase:  # noqa: ARG001
    """Deliver a file; `name` is for people and ignored. `?save` has pictures saved too."""
    content = await _content(request, file_id)
    return await delivery.file_response(request, content, as_attachment="save" in request.GET)


@require_safe
async def preview(request: HttpRequest, slug: str, file_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Deliver a small picture; 404 for what is no picture."""
    content = await _content(request, file_id)
    try:
        small = await sync_to_async(pictures.preview)(content)
    except NotAPicture as error:
        raise Http404 from error
    key = f"{content.key}.preview"
    return delivery.small_response(request, small, media_type=pictures.SMALL_TYPE, key=key)


async def _content(request: HttpRequest, file_id: UUID) -> Content:
    principal: Principal = request.principal  # type: ignore[attr-defined]  # set by the middleware
    try:
        return await sync_to_async(get_content)(principal=principal, file_id=file_id)
    except FileNotFound as error:
        raise Http404 from error
