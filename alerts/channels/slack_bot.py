"""Posts messages to Slack channels as the app with the bot token.

https://docs.slack.dev/reference/methods/chat.postMessage. Unlike a webhook, it returns the `ts` of a message, so that
details go into a thread, and a correction into the thread of the message that it corrects.
"""

from __future__ import annotations

import logging
import math
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from alerts.channels.slack_errors import SlackAnswer, answer, bot_error, is_about_token
from alerts.channels.slack_webhook import INTERVAL, REPORT
from alerts.masking import without_addresses
from alerts.messages.slack_parts import SlackPart, marked, parts_of, plain
from alerts.model import Accepted, Delivery
from monitor.errors import ChannelError

if TYPE_CHECKING:
    from monitor.settings import SlackSettings

_log = logging.getLogger(__name__)

# Metadata that other apps of the workspace can read (docs.slack.dev/messaging/message-metadata).
_EVENT = "agreement_monitor_delivery"


class SlackBotChannel:
    """Posts each part once and never retries; `delivery.sender` does that.

    Slack has no idempotency key (`client_msg_id` is for its own programs: slackapi/java-slack-sdk#852). The metadata
    has the delivery's message_id, the same for every attempt.
    """

    interval = INTERVAL

    def __init__(self, settings: SlackSettings) -> None:
        self._out_of_reach = ""  # why, once that is known
        self._token = settings.bot_token.get_secret_value()
        # The library's own log lines would contain the address.
        log = logging.getLogger("alerts.channels.slack_webhook.sdk")
        log.setLevel(logging.CRITICAL + 1)
        self._client = WebClient(
            token=self._token,
            base_url=settings.api_url,
            timeout=math.ceil(settings.timeout),
            logger=log,
            retry_handlers=[],  # they would send again what may have arrived
        )
        if proxy_bypass(urlsplit(settings.api_url).hostname or ""):
            self._client.proxy = None  # the library reads HTTPS_PROXY, but not NO_PROXY

    def send(self, delivery: Delivery) -> Accepted:
        """Post the next part of a message. Raises ChannelError.

        The id returned is that of the thread's first message. For a correction that is the message that it corrects,
        since Slack has no replies to replies.
        """
        if not self._token:
            self._out_of_reach = "slack.bot_token is not set"
        if self._out_of_reach:
            raise ChannelError(self._out_of_reach, permanent=False)
        parts = parts_of(delivery.message)
        number = delivery.parts_sent
        if number >= len(parts):
            return Accepted(delivery.external_id)
        corrected = delivery.answers.external_id if delivery.answers else ""
        root = delivery.external_id if number else corrected
        # A correction must be seen, so the first part of it is shown in the channel too, not only in the thread.
        thread = self._post_part(delivery, parts[number], number, root, broadcast=number == 0)
        return Accepted(thread, more=number + 1 < len(parts))

    def workspace(self) -> str:
        """The name of the token's workspace. Raises ChannelError if Slack refuses the token or cannot be reached."""
        try:
            said = self._client.auth_test()
        except SlackApiError as exc:
            raise bot_error(_answer(exc)) from exc
        except (OSError, HTTPException, AttributeError) as exc:
            what = without_addresses(str(getattr(exc, "reason", exc)))
            raise ChannelError(f"Slack could not be asked: {what}", permanent=False) from exc
        return str(said.get("team") or "")

    def reachable(self, address: str) -> bool:
        """False once the Web API has failed to answer or has refused the token; both concern all channels."""
        return not self._out_of_reach

    def close(self) -> None:
        """Nothing is open."""

    def _post_part(self, delivery: Delivery, part: SlackPart, number: int, root: str, *, broadcast: bool) -> str:
        """Post a part; the `ts` of its thread's first message, or its own outside a thread. Raises ChannelError."""
        content: dict[str, Any] = {
            "text": part.text,
            "blocks": marked(part.blocks, delivery.message_id, number),
            "metadata": {
                "event_type": _EVENT,
                "event_payload": {"message_id": delivery.message_id, "part": number + 1},
            },
        }
        place: dict[str, Any] = {"thread_ts": root, "reply_broadcast": broadcast} if root else {}
        said = self._post(delivery.address, content | place)
        if isinstance(said, SlackAnswer) and place and said.is_about_thread:
            # The message was deleted, or the thread is locked: post it outside the thread.
            place = {}
            said = self._post(delivery.address, content)
        if isinstance(said, SlackAnswer) and said.is_about_form:
            _log.warning("delivery %s: Slack answered %s; trying plain text. %s", delivery.id, said.word, REPORT)
            said = self._post(delivery.address, {"text": plain(part)} | place)
        if not isinstance(said, SlackAnswer):
            return root if place else said
        error = bot_error(said)
        if is_about_token(said):
            self._out_of_reach = str(error)
        raise error

    def _post(self, channel: str, content: dict[str, Any]) -> str | SlackAnswer:
        """The message's `ts`, or Slack's answer if it did not accept it."""
        try:
            taken = self._client.chat_postMessage(channel=channel, unfurl_links=False, unfurl_media=False, **content)
        except SlackApiError as exc:
            return _answer(exc)
        except URLError as exc:
            # urllib raises this only before the whole request was sent.
            self._out_of_reach = f"Slack could not be reached: {without_addresses(str(exc.reason))}"
            raise ChannelError(self._out_of_reach, permanent=False) from exc
        except TimeoutError as exc:
            self._out_of_reach = "Slack did not answer in time"
            raise ChannelError(self._out_of_reach, permanent=False, maybe_sent=True) from exc
        except (OSError, HTTPException, UnicodeDecodeError) as exc:
            what = f"{type(exc).__name__} {without_addresses(str(exc))}".strip()
            raise ChannelError(f"Slack broke off: {what}", permanent=False, maybe_sent=True) from exc
        except (AttributeError, RecursionError) as exc:
            # slack-sdk assumes that any JSON is an object, and not too deep.
            raise ChannelError("something else answered instead of Slack", permanent=False) from exc
        return str(taken.get("ts") or "")


def _answer(exc: SlackApiError) -> SlackAnswer:
    """Slack's answer. slack-sdk has read the body already; if that was no JSON, `error` quotes it."""
    response = exc.response
    data = response.data if isinstance(response.data, dict) else {}
    error = str(data.get("error", ""))
    page = error.startswith("Received a response in a non-JSON format")
    body = "<" if page else error
    return answer(int(response.status_code), body, dict(response.headers))
