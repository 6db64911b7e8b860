"""Mail handed to a real SMTP server on loopback, and what its replies mean."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from alerts.channels.email import MailChannel, composed, unsubscribe_headers
from alerts.model import ChannelName, CorrectedDelivery, Delivery, Message
from alerts.sanitize import clean
from demo.smtp import FakeSmtp
from monitor.errors import ChannelError, SettingsError
from monitor.model import Entry
from monitor.settings import MailSettings
from tests.alerts.builders import HOUR, NOON
from tests.alerts.hostile import as_notice, fuzzed, hostile_entries
from tests.alerts.messages.test_render import RENDERER

SENDER = "Agreement monitor <alerts@monitor.example.org>"
MESSAGE = Message(
    "287(g) in Texas: Peñasco Police Department, new",
    "Peñasco Police Department\n.\nlong " + "word " * 300,
    "<!DOCTYPE html><p>Peñasco Police Department</p>",
)


@pytest.fixture
def smtp() -> Iterator[FakeSmtp]:
    with FakeSmtp() as smtp:
        yield smtp


def settings(smtp: FakeSmtp, **others: object) -> MailSettings:
    given: dict[str, object] = {"host": smtp.host, "port": smtp.port, "sender": SENDER, "timeout": 5}
    return MailSettings(**given | others)  # type: ignore[arg-type]  # fields by name


@pytest.fixture
def channel(smtp: FakeSmtp) -> Iterator[MailChannel]:
    with closing(MailChannel(settings(smtp))) as channel:
        yield channel


def delivery(address: str = "reader@example.org", id: str = "d-1") -> Delivery:
    message_id = f"<{id}@monitor.example.org>"
    return Delivery(id, ChannelName.EMAIL, address, MESSAGE, message_id, NOON, NOON + 72 * HOUR, 1, "me")


def refusal(channel: MailChannel, to: Delivery | None = None) -> ChannelError:
    with pytest.raises(ChannelError) as refused:
        channel.send(to or delivery())
    return refused.value


def test_a_mail_arrives_as_text_and_html(smtp: FakeSmtp, channel: MailChannel) -> None:
    channel.send(delivery())
    [received] = smtp.messages
    assert received.sender == "alerts@monitor.example.org"
    assert received.recipients == ("reader@example.org",)
    assert received.message["Subject"] == MESSAGE.subject
    assert received.message.get_content_type() == "multipart/alternative"
    text, html = received.message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content() == MESSAGE.text + "\n"
    assert html.get_content().strip() == MESSAGE.html


def test_a_mail_says_what_it_is(smtp: FakeSmtp, channel: MailChannel) -> None:
    channel.send(delivery())
    headers = smtp.messages[0].message
    assert headers["From"] == SENDER
    assert headers["To"] == "reader@example.org"
    assert headers["Date"] == "Tue, 03 Mar 2026 17:00:00 +0000"
    assert headers["Message-ID"] == "<d-1@monitor.example.org>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["List-Id"] == "<agreement-monitor.monitor.example.org>"
    assert headers["List-Unsubscribe"] == "<mailto:alerts@monitor.example.org?subject=unsubscribe>"


def test_every_line_on_the_wire_is_short_and_plain_ascii(smtp: FakeSmtp, channel: MailChannel) -> None:
    channel.send(delivery())
    lines = smtp.messages[0].raw.split(b"\r\n")
    assert all(len(line) <= 998 and line.isascii() for line in lines)


def test_a_list_unsubscribe_is_never_an_encoded_word() -> None:
    sender = f"alerts@{'monitor.' * 20}example.org"
    raw = composed(delivery(), sender)
    assert f"List-Unsubscribe: <mailto:{sender}?subject=unsubscribe>".encode() in raw


def test_the_same_delivery_is_the_same_mail_every_time(smtp: FakeSmtp, channel: MailChannel) -> None:
    channel.send(delivery())
    channel.send(delivery())
    one, other = smtp.messages
    assert one.raw == other.raw


def test_mails_that_say_the_same_differ_in_whom_they_are_for(smtp: FakeSmtp, channel: MailChannel) -> None:
    channel.send(delivery("one@example.org", "d-1"))
    channel.send(delivery("other@example.org", "d-2"))
    one, other = (m.raw.decode() for m in smtp.messages)
    assert other == one.replace("one@example.org", "other@example.org").replace("<d-1@", "<d-2@")


def test_a_correction_stands_below_what_it_corrects(smtp: FakeSmtp, channel: MailChannel) -> None:
    channel.send(replace(delivery(), answers=CorrectedDelivery("<d-0@monitor.example.org>", "")))
    headers = smtp.messages[0].message
    assert headers["In-Reply-To"] == headers["References"] == "<d-0@monitor.example.org>"


def test_unsubscribing_is_by_mail_and_with_one_click_where_there_is_a_page() -> None:
    assert unsubscribe_headers("a@example.org") == {"List-Unsubscribe": "<mailto:a@example.org?subject=unsubscribe>"}
    assert unsubscribe_headers("a@example.org", "https://example.org/u/t0ken") == {
        "List-Unsubscribe": "<https://example.org/u/t0ken>, <mailto:a@example.org?subject=unsubscribe>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


HEADERS = {
    *("To", "Message-ID", "From", "Subject", "Date", "Auto-Submitted", "List-Id", "List-Unsubscribe"),
    *("MIME-Version", "Content-Type"),
}


@pytest.mark.slow
@fuzzed
@given(subject=st.text(), text=st.text(), html=st.text())
@example(
    subject="a\r\nBcc: evil@example.org",
    text="\r\n.\r\nRCPT TO:<evil@example.org>",
    html="\r\n\r\n--=_x--\r\n",
)
@example(subject="=?utf-8?q?a=0d=0aBcc:_evil@example.org?=", text="", html="\x00")
def test_no_text_adds_a_header_or_a_part(round_: int, subject: str, text: str, html: str) -> None:
    assume(all(t.encode("utf-8", "ignore").decode() == t for t in (subject, text, html)))  # as state.db holds it
    raw = composed(replace(delivery(), message=Message(subject, text, html)), SENDER)
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert sorted(read.keys()) == sorted(HEADERS)
    assert read["Subject"] == clean(subject)
    assert [part.get_content_type() for part in read.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert all(len(line) <= 998 and line.isascii() for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.slow
@fuzzed
@given(entries=hostile_entries)
def test_no_change_adds_a_header_a_recipient_or_a_mail(
    smtp: FakeSmtp, channel: MailChannel, round_: int, entries: list[Entry]
) -> None:
    smtp.messages.clear()
    channel.send(replace(delivery(), message=RENDERER.message(as_notice(entries, ChannelName.EMAIL))))
    [received] = smtp.messages
    assert received.recipients == ("reader@example.org",)
    assert sorted(received.message.keys()) == sorted(HEADERS)
    assert [part.get_content_type() for part in received.message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    "address", ["a@example.org\r\nBcc: evil@example.org", "a b@example.org", "<a@b>", "é@b.org", ""]
)
def test_an_address_that_could_be_more_than_one_is_refused(channel: MailChannel, address: str) -> None:
    assert refusal(channel, delivery(address)).permanent


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("reply", "gone"),
    [
        ("550 5.1.1 no such user", True),
        ("550 5.1.2 no such system", True),
        ("551 5.1.6 moved", True),
        ("556 5.1.10 null MX", True),
        ("450 4.1.1 no such user, as far as we know", False),
        ("550 no such user", False),
        ("550 5.7.1 policy", False),
        ("554 5.7.1 spam, see 5.1.1", False),
        ("552 5.2.2 mailbox full", False),
        ("550 5.1.8 your domain does not exist", False),
    ],
)
def test_an_address_is_gone_where_the_server_says_that_of_it(
    smtp: FakeSmtp, channel: MailChannel, step: str, reply: str, gone: bool
) -> None:
    smtp.refuses(reply, at=step)  # type: ignore[arg-type]  # one of its steps
    assert refusal(channel).gone is gone


def test_one_connection_serves_a_run(smtp: FakeSmtp) -> None:
    with counting_proxy(smtp) as proxy, closing(MailChannel(proxy.settings)) as channel:
        for n in range(3):
            channel.send(delivery(id=f"d-{n}"))
    assert len(smtp.messages) == 3
    assert proxy.connections == 1


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("reply", "permanent"),
    [
        ("450 4.2.0 greylisted", False),
        ("452 4.2.2 mailbox full", False),
        ("550 5.1.1 no such user", True),
        ("554 5.7.1 policy", True),
    ],
)
def test_a_4xx_is_tried_again_and_a_5xx_is_not(
    smtp: FakeSmtp, channel: MailChannel, step: str, reply: str, permanent: bool
) -> None:
    smtp.refuses(reply, at=step)  # type: ignore[arg-type]  # one of its steps
    error = refusal(channel)
    assert error.permanent is permanent
    assert reply in str(error)


def test_after_a_refusal_the_next_mail_goes_through(smtp: FakeSmtp, channel: MailChannel) -> None:
    smtp.refuses("550 5.1.1 no such user", to="gone@example.org")
    refusal(channel, delivery("gone@example.org"))
    channel.send(delivery())
    assert [m.recipients for m in smtp.messages] == [("reader@example.org",)]


def test_a_refusal_is_kept_without_the_address(smtp: FakeSmtp, channel: MailChannel) -> None:
    smtp.refuses("550 5.1.1 <reader@example.org> unknown")
    assert "reader" not in str(refusal(channel))


def test_a_server_that_is_down_is_asked_once_a_run(smtp: FakeSmtp, channel: MailChannel) -> None:
    smtp.goes_down()
    assert not refusal(channel).permanent
    assert not channel.reachable("reader@example.org")
    smtp.comes_back()
    assert "could not be reached" in str(refusal(channel))


def test_a_server_that_goes_down_between_two_mails_is_noticed(smtp: FakeSmtp, channel: MailChannel) -> None:
    channel.send(delivery())
    smtp.goes_down()
    assert not refusal(channel).permanent
    assert not channel.reachable("reader@example.org")


def test_a_connection_that_the_server_closed_meanwhile_is_made_anew(smtp: FakeSmtp, channel: MailChannel) -> None:
    channel.send(delivery(id="d-1"))
    smtp.goes_down()
    smtp.comes_back()
    channel.send(delivery(id="d-2"))
    assert [m.message["Message-ID"][1:4] for m in smtp.messages] == ["d-1", "d-2"]


def test_a_server_that_closes_with_421_is_connected_to_anew(smtp: FakeSmtp, channel: MailChannel) -> None:
    channel.send(delivery(id="d-1"))
    smtp.refuses("421 4.4.2 too many messages", times=1)
    channel.send(delivery(id="d-2"))
    assert len(smtp.messages) == 2


def test_a_break_after_the_data_is_no_reason_to_give_up(smtp: FakeSmtp, channel: MailChannel) -> None:
    smtp.breaks_after_data()
    error = refusal(channel)
    assert (error.permanent, error.maybe_sent) == (False, True)
    channel.send(delivery(id="d-2"))
    assert len(smtp.messages) == 2


def test_a_server_that_never_answers_holds_up_a_run_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        quiet = MailSettings(host="127.0.0.1", port=port, sender=SENDER, timeout=0.2)
        with closing(MailChannel(quiet)) as channel:
            refusal(channel)
            before = time.monotonic()
            refusal(channel)
            assert time.monotonic() - before < 0.1


@pytest.mark.parametrize("reply", ["450 4.2.0 greylisted", "550 5.7.1 policy", "421 4.4.2 closing"])
def test_what_a_server_refused_was_not_sent(smtp: FakeSmtp, channel: MailChannel, reply: str) -> None:
    smtp.refuses(reply, at="DATA")
    assert not refusal(channel).maybe_sent


def test_a_mail_that_the_server_did_not_ask_for_was_not_sent() -> None:
    with talks(without=b"") as port:  # 250, and no 354, to DATA too
        hasty = MailSettings(host="127.0.0.1", port=port, sender=SENDER, timeout=5)
        with closing(MailChannel(hasty)) as channel:
            error = refusal(channel)
            assert "did not ask for the message: 250 OK" in str(error)
            assert (error.permanent, error.maybe_sent) == (False, False)


def test_a_server_that_falls_silent_in_the_middle_holds_up_a_run_once() -> None:
    with talks(without=b"RCPT") as port:
        quiet = MailSettings(host="127.0.0.1", port=port, sender=SENDER, timeout=0.2)
        with closing(MailChannel(quiet)) as channel:
            assert "did not answer in time" in str(refusal(channel))
            assert not channel.reachable("reader@example.org")


def test_a_server_without_starttls_gets_no_mail_in_the_clear(smtp: FakeSmtp) -> None:
    with closing(MailChannel(settings(smtp, security="starttls"))) as channel:
        error = refusal(channel)
    assert not error.permanent
    assert "mail.security" in str(error)
    assert smtp.messages == []


def test_a_login_that_the_server_does_not_offer_is_for_the_operator_to_mend(smtp: FakeSmtp) -> None:
    with closing(MailChannel(settings(smtp, user="me", password="s3cret"))) as channel:
        error = refusal(channel)
    assert not error.permanent
    assert "s3cret" not in str(error)


@pytest.mark.parametrize("sender", ["a b", "", "two@signs@example.org", "Grüße <grüße@example.org>"])
def test_a_sender_that_is_no_address_is_for_the_operator_to_mend(sender: str) -> None:
    with pytest.raises(SettingsError, match=r"mail\.sender"):
        MailChannel(MailSettings(sender=sender))


# --- servers that the fake does not play -----------------------------------------------------------------------


class Proxy:
    """Counts the connections that go through it."""

    def __init__(self, port: int) -> None:
        self.connections = 0
        self.settings = MailSettings(host="127.0.0.1", port=port, sender=SENDER, timeout=5)


@contextmanager
def counting_proxy(smtp: FakeSmtp) -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as front:
        proxy = Proxy(front.getsockname()[1])

        def pump(source: socket.socket, sink: socket.socket) -> None:
            try:
                while piece := source.recv(65536):
                    sink.sendall(piece)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        def serve() -> None:
            while True:
                try:
                    client, _ = front.accept()
                except OSError:
                    return
                proxy.connections += 1
                back = socket.create_connection((smtp.host, smtp.port))
                pumps = [threading.Thread(target=pump, args=pair) for pair in ((client, back), (back, client))]
                for each in pumps:
                    each.start()
                for each in pumps:
                    each.join()
                client.close()
                back.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield proxy
        front.shutdown(socket.SHUT_RDWR)
        thread.join()


@contextmanager
def talks(*, without: bytes) -> Iterator[int]:
    """A server that answers 250 to everything on its first connection, but not at all to one command, if any."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            client, _ = listening.accept()
            with client, client.makefile("rwb", buffering=0) as talk:
                talk.write(b"220 ready\r\n")
                for line in talk:
                    if without and line.upper().startswith(without):
                        continue
                    talk.write(b"250 OK\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()
