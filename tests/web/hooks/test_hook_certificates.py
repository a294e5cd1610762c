"""SNS: whose certificates are believed, where they are fetched, and which subscriptions are confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select

from mailer.database import reading
from mailer.hooks.tables import reports
from mailer.web.hooks.certificates import Certificates, download
from mailer.web.hooks.model import Refused
from tests.hooks.receivers import receiving
from tests.web.hooks import senders

if TYPE_CHECKING:
    from tests.web.hooks.conftest import Office


OTHER_RSA = rsa.generate_private_key(65537, 2048)


def stored(office: Office) -> int:
    with reading(office.ground.database) as connection:
        return len(connection.execute(select(reports.c.id)).all())


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0f3a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0f3a.pem",
        "https://evil.example/SimpleNotificationService-0f3a.pem",
        "https://sns.eu-west-1.amazonaws.com:444/SimpleNotificationService-0f3a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0f3a.pem",
        "https://a:b@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0f3a.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0f3a.pem",
        "https://sns.eu-west-1.amazonaws.com/bucket/evil.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0f3a.pem?x=1",
        "https://[::1/SimpleNotificationService-0f3a.pem",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_certificate_is_fetched_from_elsewhere(office: Office, url: str):
    """Only SNS's own host of the topic's region is asked for a certificate; a forger names another in vain."""
    sent = senders.sns(senders.ses_bounce(), office.clock(), SigningCertURL=url)
    assert office.post("ses", sent).status_code == 403
    assert office.fetched == []


@pytest.mark.parametrize("topic", [senders.TOPIC + "2", "arn:aws:sns:evil.example/:123456789012:x", "", "x"])
def test_a_topic_that_is_not_ours_is_not_heard(office: Office, topic: str):
    """Everybody can have SNS sign a topic of their own: another topic is refused before anything is fetched."""
    sent = senders.sns(senders.ses_bounce(), office.clock(), TopicArn=topic)
    assert office.post("ses", sent).status_code == 403
    assert office.fetched == []


@pytest.mark.parametrize(
    "certificate",
    [
        b"no certificate",
        senders.certificate("evil.example"),
        senders.certificate(days=-1),
        senders.certificate("sns.amazonaws.com.evil.example"),
    ],
)
def test_a_certificate_that_is_not_of_sns_proves_nothing(office: Office, certificate: bytes):
    """What is fetched must be a certificate of SNS, in force today; after three failures nothing is fetched."""
    office.pages[senders.CERTIFICATE_URL] = certificate
    sent = senders.sns(senders.ses_bounce(), office.clock())
    assert [office.post("ses", sent).status_code for _ in range(4)] == [403, 403, 403, 503]
    assert (len(office.fetched), stored(office)) == (3, 0)


def test_who_has_no_certificate_holds_up_nobody_who_has_one():
    """While one that is not there is asked for, known ones serve; after a minute it may be asked for again."""
    now, asked = [0.0], []

    def fetch(url: str) -> bytes:
        asked.append(url)
        if "good" in url:
            return senders.certificate()
        raise Refused(503, "not-fetched", "no")

    certificates = Certificates(fetch, lambda: now[0])
    good = certificates("https://good/1.pem")
    for number in range(5):
        with pytest.raises(Refused):
            certificates(f"https://bad/{number}.pem")
    assert certificates("https://good/1.pem") == good
    assert len(asked) == 4
    now[0] += 61
    assert certificates("https://good/2.pem") == good


@pytest.mark.parametrize(
    ("act", "said"), [(404, "answered 404"), (302, "answered 302"), ("huge", "too large")]
)
def test_a_fetch_is_bounded_and_follows_nobody(act: object, said: str):
    """A real server that says no, sends elsewhere, or pours: each is a reason to come back later."""
    with receiving() as server:
        server.always_get = act
        with pytest.raises(Refused, match=said) as refusal:
            download(f"{server.url}/SimpleNotificationService-1.pem")
        assert refusal.value.status == 503
        assert len(server.visited) == 1
    with pytest.raises(Refused, match="cannot be reached"):
        download("http://127.0.0.1:9/SimpleNotificationService-1.pem")


def test_a_subscription_is_confirmed_at_an_address_of_our_own_making(office: Office):
    """The address that the message names is never visited: host, topic and token alone make the visit."""
    more = {"Token": "2336412f37" * 4, "SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"}
    sent = senders.sns("You chose", office.clock(), kind="SubscriptionConfirmation", **more)
    assert office.post("ses", sent).json() == {"events": 0, "unknown": 0, "again": False}
    visited = office.fetched[-1]
    assert visited.startswith(
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn%3Aaws"
    )
    assert visited.endswith(f"&Token={more['Token']}")
    assert not any("evil" in url for url in office.fetched)


def test_a_subscription_that_strangers_made_up_is_not_confirmed(office: Office):
    """A confirmation must be signed, of our topic, and its token must be one."""
    more = {"Token": "2336412f37" * 4, "SubscribeURL": "https://x.example/"}
    forged = senders.sns("x", office.clock(), kind="SubscriptionConfirmation", key=OTHER_RSA, **more)
    assert office.post("ses", forged).status_code == 403
    odd = senders.sns("x", office.clock(), kind="SubscriptionConfirmation", Token="a&b=c", SubscribeURL="y")
    assert office.post("ses", odd).status_code == 400
    assert office.fetched == [senders.CERTIFICATE_URL]
