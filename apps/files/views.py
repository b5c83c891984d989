"""Files of pages, under `/o/<slug>/`. A link is no key: each request asks for the rights again.

With `files_base_url` a file comes from another host, so that nothing a stranger wrote is opened beside our pages:
the page's address answers with a short-lived link there. Pixels we wrote ourselves stay here.
"""

from __future__ import annotations

from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.views.decorators.http import require_safe

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.files.errors import FileNotFound, NotAPicture
from apps.files.selectors.files import get_content
from apps.files.services import delivery, links, pictures
from apps.files.types import Content


@require_safe
async def file(request: HttpRequest, slug: str, file_id: UUID, name: str = "") -> HttpResponseBase:  # noqa: ARG001
    """Deliver a file; `name` is for people and ignored. `?save` has pictures saved too."""
    content = await _content(request, file_id)
    as_attachment = "save" in request.GET
    if links.files_host() and not content.is_made_by_us:
        return HttpResponseRedirect(
            links.link_to(
                principal=_principal(request),
                file_id=file_id,
                name=content.name,
                as_attachment=as_attachment,
            )
        )
    return await delivery.file_response(request, content, as_attachment=as_attachment)


@login_not_required
@require_safe
async def linked(request: HttpRequest, token: str, name: str) -> HttpResponseBase:  # noqa: ARG001 - for people
    """Deliver a file at the files' host: no cookie, but the person of the link may still open it."""
    if not links.files_host():
        raise Http404
    try:
        link = links.read_link(token)
        content = await sync_to_async(_content_for)(link)
    except FileNotFound as error:
        raise Http404 from error
    return await delivery.file_response(request, content, as_attachment=link.as_attachment, is_elsewhere=True)


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


def _principal(request: HttpRequest) -> Principal:
    principal: Principal = request.principal  # type: ignore[attr-defined]  # set by the middleware
    return principal


async def _content(request: HttpRequest, file_id: UUID) -> Content:
    try:
        return await sync_to_async(get_content)(principal=_principal(request), file_id=file_id)
    except FileNotFound as error:
        raise Http404 from error


def _content_for(link: links.Link) -> Content:
    """Return the content for the person of a link, as they are now.

    Raises:
        FileNotFound: they may not open it any more.
    """
    with tenancy.use(link.organization_id):
        try:
            principal = principal_of_member(user_id=link.person_id, organization_id=link.organization_id)
        except MemberNotFound as error:
            raise FileNotFound from error
        return get_content(principal=principal, file_id=link.file_id)
