"""What is fetched from SNS: certificates, and the visit that confirms a subscription.

Promises: bounded in octets and seconds, no redirect, no proxy of the environment, one fetch at a time; a certificate is
fetched once, one that failed not again for a minute. The caller has checked the address.
"""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from mailer.web.hooks.model import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST: Final = 65_536
_SECONDS: Final = 8.0
_MOST: Final = 16
_REST: Final = 60.0
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

    def __init__(self, fetch: Callable[[str], bytes] = download) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._known: dict[str, bytes] = {}
        self._failed: dict[str, float] = {}

    def __call__(self, url: str) -> bytes:
        """Give the certificate at an address that was checked; raises Refused."""
        with self._lock:
            if url not in self._known:
                self._known[url] = self._fetched(url)
                while len(self._known) > _MOST:
                    self._known.pop(next(iter(self._known)))
            certificate = self._known[url]
        _require_valid(certificate)
        return certificate

    def _fetched(self, url: str) -> bytes:
        if time.monotonic() - self._failed.get(url, -_REST) < _REST:
            raise Refused(503, "not-fetched", "the certificate could not be had a moment ago")
        try:
            certificate = self._fetch(url)
            _require_valid(certificate)
        except Refused:
            self._failed = {url: time.monotonic()}  # of the last one alone: nobody may fill our memory
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
