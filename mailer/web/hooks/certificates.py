"""What is fetched from SNS: certificates, and the visit that confirms a subscription.

Promises: bounded in octets and seconds, no redirect, no proxy of the environment, one fetch at a time; a certificate is
fetched once; after three failures within a minute nothing is fetched until the minute has passed, so that nobody can
have us ask Amazon for what is not there, again and again. The caller has checked the address.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from mailer.web.hooks.model import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST: Final = 65_536
_SECONDS: Final = 8.0
_MOST: Final = 16
_REST: Final = 60.0
_FAILURES: Final = 3
_SUBJECT: Final = re.compile(r"sns[a-z0-9.-]*\.amazonaws\.com(?:\.cn)?")


def download(url: str) -> bytes:
    """Give what stands at an address; raises Refused (503) if it cannot be had, so that the provider tries again."""
    import httpx  # noqa: PLC0415 - only this hook needs it

    until = time.monotonic() + _SECONDS
    try:
        with (
            httpx.Client(timeout=_SECONDS / 2, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url) as answer,
        ):
            got = bytearray()
            for chunk in answer.iter_bytes(8192):
                got += chunk
                if len(got) > LARGEST or time.monotonic() > until:
                    raise Refused(503, "not-fetched", "what SNS names is too large or too slow")
            if answer.status_code != 200:
                raise Refused(503, "not-fetched", f"SNS answered {answer.status_code}")
            return bytes(got)
    except httpx.HTTPError:
        raise Refused(503, "not-fetched", "SNS cannot be reached") from None


class Certificates:
    """The signing certificates that were seen, by their addresses."""

    def __init__(
        self, fetch: Callable[[str], bytes] = download, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, bytes] = {}
        self._failures: deque[float] = deque(maxlen=_FAILURES)

    def __call__(self, url: str) -> bytes:
        """Give the certificate at an address that was checked; raises Refused."""
        certificate = self._known.get(url)  # whoever has it waits for nobody who fetches another
        if certificate is None:
            with self._lock:
                certificate = self._known.get(url) or self._fetched(url)
                self._known = dict([*self._known.items(), (url, certificate)][-_MOST:])
        _require_valid(certificate)
        return certificate

    def _fetched(self, url: str) -> bytes:
        now = self._clock()
        if len(self._failures) == _FAILURES and now - self._failures[0] < _REST:
            raise Refused(503, "not-fetched", "certificates could not be had a moment ago")
        try:
            certificate = self._fetch(url)
            _require_valid(certificate)
        except Refused:
            self._failures.append(now)
            raise
        return certificate


def _require_valid(certificate: bytes) -> None:
    """Refuse what is no certificate of SNS, or one that is not in force today."""
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    try:
        found = load_pem_x509_certificate(certificate)
        names = [str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError:
        raise Refused(403, "bad-certificate", "what SNS names is no certificate") from None
    now = datetime.now(UTC)
    in_force = found.not_valid_before_utc <= now <= found.not_valid_after_utc
    if not in_force or not any(_SUBJECT.fullmatch(name) for name in names):
        raise Refused(403, "bad-certificate", "the certificate is not one of SNS, or not in force")
