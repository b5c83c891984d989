"""The endpoints that programs call. They answer in the words of RFC 6749, not as problem documents."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.errors import OAuthRefusal
from apps.accounts.selectors.oauth import claims_of
from apps.accounts.services import access_tokens, oauth_tokens
from apps.accounts.services.authentication import authenticate
from apps.accounts.services.oauth_clients import authenticate_client
from apps.accounts.services.oauth_devices import start_device
from apps.accounts.services.oauth_requests import Parameters, one, read_scopes
from apps.accounts.services.requests import credentials_of
from apps.accounts.types import BY_TOKEN, DEVICE_GRANT, OPENID, KnownClient
from apps.core import tenancy
from apps.core.errors import DomainError, TooManyRequests
from apps.core.http.addresses import client_address, network
from apps.core.services import limits
from apps.core.services.limits import Bucket

Called = Callable[[HttpRequest, KnownClient, Parameters], HttpResponse]
_FORM = "application/x-www-form-urlencoded"


def _endpoint(call: Called) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that takes a form from a client that proved who it is, and tells refusals as JSON."""

    @csrf_exempt
    @login_not_required
    @sensitive_post_parameters()
    @require_POST
    @wraps(call)
    def view(request: HttpRequest) -> HttpResponse:
        try:
            limits.take([Bucket("oauth", network(client_address(request)), 1200, 2400)]).require()
            parameters = _form_of(request)
            client = authenticate_client(
                authorization=request.headers.get("Authorization", ""),
                client_id=one(parameters, "client_id"),
                secret=one(parameters, "client_secret"),
            )
            limits.take([Bucket("oauth_client", str(client.id), 1200, 2400)]).require()
            response = call(request, client, parameters)
        except (OAuthRefusal, TooManyRequests) as refusal:
            response = _refused(request, refusal)
        response.headers["Cache-Control"], response.headers["Pragma"] = "no-store", "no-cache"
        return response

    return view


@_endpoint
def token(request: HttpRequest, client: KnownClient, parameters: Parameters) -> HttpResponse:
    """Exchange a code, a refresh token, a device code, or the client's own secret for tokens."""
    return JsonResponse(
        oauth_tokens.grant(client=client, parameters=parameters, address=client_address(request))
    )


@_endpoint
def device_authorization(request: HttpRequest, client: KnownClient, parameters: Parameters) -> HttpResponse:
    """Start a device without a browser (RFC 8628 3.1)."""
    if DEVICE_GRANT not in client.grants:
        raise OAuthRefusal("unauthorized_client", "This client may not use device codes.")
    address = client_address(request)
    limits.take([Bucket("oauth_devices", network(address), 20, 40)]).require()
    scopes = read_scopes(one(parameters, "scope"), client)
    started = start_device(client=client, scopes=scopes, address=address)
    page = f"{access_tokens.issuer()}{reverse('oauth_device')}"
    return JsonResponse(
        {
            "device_code": started.device_code,
            "user_code": started.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={started.user_code}",
            "expires_in": started.expires_in,
            "interval": started.interval_seconds,
        }
    )


@_endpoint
def introspection(request: HttpRequest, client: KnownClient, parameters: Parameters) -> HttpResponse:  # noqa: ARG001
    """Say what one of the client's own tokens is worth now (RFC 7662)."""
    return JsonResponse(oauth_tokens.introspect(client=client, token=_token(parameters)))


@_endpoint
def revocation(request: HttpRequest, client: KnownClient, parameters: Parameters) -> HttpResponse:  # noqa: ARG001
    """End what one of the client's own tokens belongs to (RFC 7009); the answer is the same for any token."""
    oauth_tokens.revoke(client=client, token=_token(parameters))
    return HttpResponse()


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def userinfo(request: HttpRequest) -> HttpResponse:
    """Say who a token's owner is, as far as its scopes allow (OpenID Connect Core 5.3)."""
    try:
        limits.take([Bucket("oauth", network(client_address(request)), 1200, 2400)]).require()
        if not request.headers.get("Authorization"):
            return _bearer_refused(HTTPStatus.UNAUTHORIZED, "")
        principal = authenticate(credentials_of(request))
    except TooManyRequests as refusal:
        return _refused(request, refusal)
    except DomainError:
        return _bearer_refused(HTTPStatus.UNAUTHORIZED, "invalid_token")
    if principal.credential != BY_TOKEN or OPENID not in (principal.key_scopes or ()):
        return _bearer_refused(HTTPStatus.FORBIDDEN, "insufficient_scope")
    with tenancy.use(principal.organization_id):
        return JsonResponse(claims_of(principal))


def _form_of(request: HttpRequest) -> Parameters:
    if request.content_type != _FORM and request.body:
        raise OAuthRefusal("invalid_request", f"Send the values as {_FORM}.")
    return dict(request.POST.lists())


def _token(parameters: Parameters) -> str:
    shown = one(parameters, "token")
    if not shown:
        raise OAuthRefusal("invalid_request", "The parameter token is missing.")
    return shown


def _refused(request: HttpRequest, refusal: OAuthRefusal | TooManyRequests) -> HttpResponse:
    if isinstance(refusal, OAuthRefusal):
        said, status = {"error": refusal.error, "error_description": refusal.description}, refusal.http_status
    else:
        said, status = {"error": "temporarily_unavailable", "error_description": "Too many requests."}, 429
    response = JsonResponse(said, status=status)
    if refusal.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    if status == HTTPStatus.UNAUTHORIZED and request.headers.get("Authorization"):
        response.headers["WWW-Authenticate"] = 'Basic realm="chatsystem"'
    return response


def _bearer_refused(status: int, error: str) -> HttpResponse:
    """Refuse in the words of RFC 6750; without credentials nothing is said of an error."""
    response = JsonResponse({"error": error} if error else {}, status=status)
    named = f', error="{error}"' if error else ""
    response.headers["WWW-Authenticate"] = f'Bearer realm="chatsystem"{named}'
    return response
