"""How often one may try to get in: by account and by network, over every door together.

A password, a mailed code, a second factor, a recovery code and a confirmation take from the same two buckets, so that
changing the door does not give new tries. What is right is given back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.http import HttpRequest

from apps.core.http.addresses import client_address, network
from apps.core.services import limits
from apps.core.services.limits import Bucket, Taken

_AT_ONCE = 10  # of one account, then two a minute
_AT_ONCE_OF_NETWORK = 50
# Six digits hold a million; whoever knows the password gets about 90 guesses a day, three codes being right at a time.
_FACTORS_AT_ONCE, _FACTORS_AN_HOUR = 20, 3
_MAILS_AT_ONCE, _MAILS_AT_ONCE_OF_NETWORK = 5, 20


def guesses(request: HttpRequest, account: str) -> list[Bucket]:
    """Return what a guess at a secret of this address, known or not, is counted by."""
    return [
        Bucket("sign_in", _named(account), 2, _AT_ONCE),
        Bucket("sign_in_network", _network(request), 10, _AT_ONCE_OF_NETWORK),
    ]


def factor_guesses(request: HttpRequest, account: str) -> list[Bucket]:
    """Return what a guess at a second factor is counted by: as every guess, and slower in the long run."""
    slow = Bucket("second_factor", _named(account), _FACTORS_AN_HOUR / 60, _FACTORS_AT_ONCE)
    return [*guesses(request, account), slow]


def ceremonies(request: HttpRequest) -> list[Bucket]:
    """Return what talks with keys are counted by: nothing can be guessed there, and a whole house shares a network."""
    return [Bucket("passkeys", _network(request), 120, 300)]


def mails(request: HttpRequest, account: str) -> list[Bucket]:
    """Return what mails with codes and links to this address are counted by."""
    return [
        Bucket("sign_in_mail", _named(account), 1, _MAILS_AT_ONCE),
        Bucket("sign_in_mail_network", _network(request), 2, _MAILS_AT_ONCE_OF_NETWORK),
    ]


def take(buckets: Sequence[Bucket]) -> Taken:
    """Count one try."""
    return limits.take(buckets)


def give_back(buckets: Sequence[Bucket]) -> None:
    """Forget one try: it was right."""
    limits.take(buckets, cost=-1)


def _network(request: HttpRequest) -> str:
    return network(client_address(request))


def _named(account: str) -> str:
    return hashlib.sha256(account.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()
