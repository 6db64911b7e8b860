"""The fake mail server holds a real SMTP conversation, and refuses on request."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from demo.smtp import FakeSmtp


@pytest.fixture
def smtp() -> Iterator[FakeSmtp]:
    with FakeSmtp() as smtp:
        yield smtp


def mail(*recipients: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "alerts@monitor.test"
    message["To"] = ", ".join(recipients)
    message["Subject"] = "1 change in Texas — new"
    message["Message-ID"] = "<d-1@monitor.test>"
    message.set_content("Larkmere\n.\n..dots survive\n")
    message.add_alternative("<p>Larkmere</p>", subtype="html")
    return message


def send(smtp: FakeSmtp, *recipients: str) -> dict[str, tuple[int, bytes]]:
    """Send one mail over a connection of its own; return who was refused."""
    # A name for EHLO: without one smtplib asks the resolver.
    with smtplib.SMTP(smtp.host, smtp.port, local_hostname="localhost", timeout=5) as connection:
        return connection.send_message(mail(*recipients))


def test_a_mail_is_taken_and_kept(smtp: FakeSmtp) -> None:
    assert send(smtp, "a@b.test", "c@d.test") == {}
    [received] = smtp.messages
    assert received.sender == "alerts@monitor.test"
    assert received.recipients == ("a@b.test", "c@d.test")
    assert received.message["Subject"] == "1 change in Texas — new"
    text = received.message.get_body(("plain",))
    assert text is not None
    assert text.get_content() == "Larkmere\n.\n..dots survive\n"
    assert b"Message-ID: <d-1@monitor.test>\r\n" in received.raw


def test_several_mails_fit_into_one_connection(smtp: FakeSmtp) -> None:
    with smtplib.SMTP(smtp.host, smtp.port, local_hostname="localhost", timeout=5) as connection:
        connection.send_message(mail("a@b.test"))
        connection.send_message(mail("c@d.test"))
    assert [received.recipients for received in smtp.messages] == [("a@b.test",), ("c@d.test",)]


def test_one_recipient_is_refused_and_the_other_gets_the_mail(smtp: FakeSmtp) -> None:
    smtp.refuses("550 5.1.1 no such user", to="A@b.test")
    assert send(smtp, "a@b.test", "c@d.test") == {"a@b.test": (550, b"5.1.1 no such user")}
    assert [received.recipients for received in smtp.messages] == [("c@d.test",)]


def test_everybody_is_refused_until_it_accepts(smtp: FakeSmtp) -> None:
    smtp.refuses("451 4.7.1 greylisted, come again")
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(smtp, "a@b.test")
    smtp.accepts()
    assert send(smtp, "a@b.test") == {}


def test_a_mail_is_refused_after_its_data_once(smtp: FakeSmtp) -> None:
    smtp.refuses("554 5.6.0 not this one", to="a@b.test", at="DATA", times=1)
    assert send(smtp, "c@d.test") == {}
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(smtp, "a@b.test")
    assert refused.value.smtp_code == 554
    assert send(smtp, "a@b.test") == {}
    assert [received.recipients for received in smtp.messages] == [("c@d.test",), ("a@b.test",)]


def test_a_mail_is_taken_although_nobody_says_so(smtp: FakeSmtp) -> None:
    smtp.breaks_after_data()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(smtp, "a@b.test")
    assert [received.recipients for received in smtp.messages] == [("a@b.test",)]
    assert send(smtp, "a@b.test") == {}


def test_somebody_is_told_of_each_mail_before_its_sender_is() -> None:
    told: list[str] = []
    with FakeSmtp(on_taken=lambda: told.append("taken")) as smtp:
        send(smtp, "a@b.test")
        told.append("said")
        send(smtp, "a@b.test")
    assert told == ["taken", "said", "taken"]


def test_it_comes_back_where_it_was(smtp: FakeSmtp) -> None:
    port = smtp.port
    send(smtp, "a@b.test")
    smtp.goes_down()
    with pytest.raises(ConnectionRefusedError):
        send(smtp, "a@b.test")
    smtp.comes_back()
    assert smtp.port == port
    assert send(smtp, "a@b.test") == {}
    assert len(smtp.messages) == 2


def test_going_down_closes_the_connections(smtp: FakeSmtp) -> None:
    with smtplib.SMTP(smtp.host, smtp.port, local_hostname="localhost", timeout=5) as connection:
        connection.send_message(mail("a@b.test"))
        smtp.goes_down()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            connection.send_message(mail("c@d.test"))


def test_it_is_gone_after_its_block() -> None:
    with FakeSmtp() as smtp:
        host, port = smtp.host, smtp.port
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP(host, port, local_hostname="localhost", timeout=5)
