"""Pages around signing in: the way to the organization, invitations, one-time links, the language."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import actions
from apps.accounts.errors import LanguageUnknown, LinkNotValid
from apps.accounts.forms import InvitationForm
from apps.accounts.labels import PERMISSION_LABELS
from apps.accounts.middleware import principal_of
from apps.accounts.models import User
from apps.accounts.selectors.members import invitation_by_secret
from apps.accounts.selectors.sessions import VIEW_AS
from apps.accounts.services import explaining, invitations, members, names, sign_in_links, trail, view_as
from apps.accounts.types import InvitationView
from apps.core.errors import DomainError, NotFound
from apps.core.http.addresses import client_address, network
from apps.core.services import limits
from apps.core.services.limits import Bucket

_COOKIE_SECONDS = 365 * 24 * 3600


@never_cache
@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    """Go to the organization used last, or the first; say so where there is none."""
    principal = principal_of(request)
    if principal is not None:
        return redirect(f"/o/{principal.organization_slug}/")
    if not getattr(request, "is_signed_in", False):
        return redirect("account_login")
    if getattr(request, "factor_missing", False):
        return redirect("factor_required")
    return render(request, "account/no_organization.html", status=403)


@method_decorator([never_cache, login_not_required, sensitive_post_parameters("password")], name="dispatch")
class InvitationPage(View):
    """`/invite/<secret>/`: what the invitation says; in with a new account, or as who is signed in."""

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        """Show the invitation; uses nothing up."""
        invitation, account, name = self._load(request, secret)
        return self._page(request, invitation, InvitationForm(initial={"name": name}), account)

    def post(self, request: HttpRequest, secret: str) -> HttpResponseBase:
        """Let the person in and sign it in."""
        invitation, account, _ = self._load(request, secret)
        if request.user.is_authenticated:
            accepted = invitations.accept_invitation(secret=secret, user_id=request.user.pk)
            return redirect(f"/o/{accepted.organization_slug}/")
        form = InvitationForm(request.POST)
        if account is not None or not form.is_valid():
            return self._page(request, invitation, form, account)
        try:
            accepted = invitations.accept_invitation(
                secret=secret, mailed=_mailed(request), **form.cleaned_data
            )
        except DomainError as error:
            for problem in error.errors:
                form.add_error("password", problem.detail)
            if not error.errors:
                form.add_error(None, error.detail)
            return self._page(request, invitation, form, account)
        # The password was chosen a moment ago: nobody is asked to type it again.
        who, target = User.objects.get(pk=accepted.user_id), f"/o/{accepted.organization_slug}/"
        return _sign_in(request, who, target, method="password")

    def _load(self, request: HttpRequest, secret: str) -> tuple[InvitationView, object, str]:
        _limit(request)
        return invitation_by_secret(secret, _mailed(request))

    def _page(
        self, request: HttpRequest, invitation: InvitationView, form: InvitationForm, account: object
    ) -> HttpResponse:
        """Show one of: a form for a new account, a button, or who has to sign in first."""
        user_id = request.user.pk if request.user.is_authenticated else None
        state = "new" if account is None and user_id is None else "join" if account == user_id else "sign_in"
        context = {"invitation": invitation, "form": form, "state": state, "next": request.get_full_path()}
        status = 400 if form.is_bound else 200
        return render(request, "account/invitation.html", context, status=status)


def _mailed(request: HttpRequest) -> str:
    """Return what the link of the mail has besides the secret."""
    return request.GET.get("mailed", "")


@method_decorator([never_cache, login_not_required], name="dispatch")
class SignInLinkPage(View):
    """`/sign-in/<secret>/`: a button, so that a preview of the link uses nothing up; then signed in."""

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        """Ask."""
        _limit(request)
        if not sign_in_links.is_open(secret=secret):
            raise LinkNotValid
        return render(request, "account/sign_in_link.html")

    def post(self, request: HttpRequest, secret: str) -> HttpResponseBase:
        """Use the link up and sign in."""
        _limit(request)
        try:
            user_id = sign_in_links.use_link(secret=secret)
        except LinkNotValid as error:
            trail.refuse_account(None, actions.SIGNED_IN, reason=error.code)
            raise
        return _sign_in(request, User.objects.get(pk=user_id), "/")


@require_POST
@login_not_required
def set_language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on: in this browser, and for the account of who is signed in."""
    try:
        wanted = names.clean_language(request.POST.get("language", ""))
    except LanguageUnknown:
        wanted = ""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = "/"
    response = HttpResponseRedirect(target)
    if wanted:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=_COOKIE_SECONDS,
            samesite="Lax",
            httponly=True,
            secure=settings.PUBLIC_URL.startswith("https"),
        )
        if request.user.is_authenticated:
            members.update_preferences(user_id=request.user.pk, language=wanted)
    return response


def _sign_in(request: HttpRequest, user: User, target: str, *, method: str = "link") -> HttpResponseBase:
    record_authentication(request, user, method=method)
    response: HttpResponseBase = perform_login(request, user, redirect_url=target)
    return response


def _limit(request: HttpRequest) -> None:
    """Count attempts at secrets by network.

    Raises:
        TooManyRequests.
    """
    limits.take([link_bucket(client_address(request))]).require()


def link_bucket(address: str) -> Bucket:
    """Return what secrets in links are counted by."""
    return Bucket("links", network(address), 20, 60)


@require_POST
def end_view(request: HttpRequest) -> HttpResponse:
    """Stop looking at pages as somebody else, and go back to the console's people."""
    flag, viewed = str(request.session.pop(VIEW_AS, "")), principal_of(request)
    if flag and request.user.is_authenticated:
        view_as.end_flagged(viewer_id=request.user.pk, flag=flag)
    if viewed is None:
        return HttpResponseRedirect("/")
    return HttpResponseRedirect(reverse("console:people", kwargs={"slug": viewed.organization_slug}))


@require_safe
def why(request: HttpRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Say why the reader may do something or not, in terms of its own role."""
    principal, action = principal_of(request), request.GET.get("action", "")
    if principal is None:
        raise NotFound
    decision, lines = explaining.explain_own(principal=principal, action=action)
    context = {"decision": decision, "lines": lines, "label": PERMISSION_LABELS[action]}
    return render(request, "accounts/why.html", context)
