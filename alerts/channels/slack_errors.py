"""Pure: what Slack's answers mean, for webhooks and for the Web API.

The error codes are those of docs.slack.dev: "Handling errors" of incoming webhooks, the errors of chat.postMessage, and
"Rate limits". They are grouped by who has to act: somebody at the address, the operator, a developer, or nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from monitor.errors import ChannelError

_NEW_WEBHOOK = "make a new one and add a watch for it"
_OTHER_CHANNEL = "remove this watch or add one for another channel"
_MAY_NOT_POST = "the app may not post in this channel; let it, or add a watch for another channel"
_ASK_ADMINISTRATOR = "the workspace does not allow it; ask an administrator of the workspace"
_NO_WORKSPACE = "the workspace is closed; remove this watch"

# This address takes no messages until somebody there does what the text says.
_ADDRESS = {
    "action_prohibited": _ASK_ADMINISTRATOR,
    "channel_is_archived": f"the Slack channel is archived; {_OTHER_CHANNEL}",
    "channel_not_found": f"the Slack channel is gone, or private without the app; invite the app, or {_OTHER_CHANNEL}",
    "is_archived": f"the Slack channel is archived; {_OTHER_CHANNEL}",
    "is_inactive": f"the Slack channel is frozen; {_OTHER_CHANNEL}",
    "method_not_supported_for_channel_type": f"this is no channel that an app can post to; {_OTHER_CHANNEL}",
    "no_active_hooks": f"the webhook was switched off; {_NEW_WEBHOOK}",
    "no_service": f"the webhook was removed or switched off; {_NEW_WEBHOOK}",
    "no_service_id": f"the webhook's URL is not complete; {_NEW_WEBHOOK}",
    "no_team": _NO_WORKSPACE,
    "not_in_channel": f"the app is not in the Slack channel; invite it there (/invite), or {_OTHER_CHANNEL}",
    "posting_to_general_channel_denied": _MAY_NOT_POST,
    "restricted_action": _MAY_NOT_POST,
    "restricted_action_read_only_channel": _MAY_NOT_POST,
    "restricted_action_thread_only_channel": _MAY_NOT_POST,
    "team_disabled": _NO_WORKSPACE,
    "team_not_found": _NO_WORKSPACE,
    "user_not_found": f"whoever made the webhook has left; {_NEW_WEBHOOK}",
}
_ADDRESS_STATUSES = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}

# The credential is at fault: a webhook's URL, or the bot's one token for all channels.
_MEND_TOKEN = "mend slack.bot_token; it waits, and goes out then"
_CREDENTIAL = {
    "access_denied": _MEND_TOKEN,
    "account_inactive": _MEND_TOKEN,
    "ekm_access_denied": "the workspace's administrators have suspended posting; it waits, and goes out then",
    "enterprise_is_restricted": _MEND_TOKEN,
    "invalid_auth": _MEND_TOKEN,
    "invalid_token": _MEND_TOKEN,
    "missing_scope": "the app lacks the scope chat:write; install it from slack/manifest.yaml and "
    "mend slack.bot_token; it waits, and goes out then",
    "no_permission": _MEND_TOKEN,
    "not_allowed_token_type": "slack.bot_token must be a bot token (xoxb-…); it waits, and goes out then",
    "not_authed": _MEND_TOKEN,
    "org_login_required": _MEND_TOKEN,
    "team_access_not_granted": _MEND_TOKEN,
    "token_expired": _MEND_TOKEN,
    "token_revoked": _MEND_TOKEN,
    "two_factor_setup_required": _MEND_TOKEN,
}

# The message is at fault; plain text may be accepted.
_FORM = {
    *("invalid_arguments", "invalid_blocks", "invalid_blocks_format", "invalid_metadata_format"),
    *("invalid_metadata_schema", "invalid_payload", "metadata_too_large", "msg_blocks_too_long", "msg_too_long"),
    "no_text",
}

# There is no thread to reply to (any more).
_THREAD = {
    *("cannot_reply_to_message", "invalid_thread_ts", "message_not_found", "thread_not_found"),
    *("restricted_action_non_threadable_channel", "restricted_action_thread_locked"),
}

# According to Slack, the request may have been carried out in part.
_MAYBE_DONE = {"fatal_error", "internal_error"}
_TRY_AGAIN = {
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
_MAYBE_DONE_STATUSES = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
_RATE_LIMITED = {"rate_limited", "ratelimited"}


@dataclass(frozen=True, slots=True)
class SlackAnswer:
    """An answer other than "ok". `word` is Slack's error code, "" if there was none.

    `is_page`: a web page, such as a proxy's, and not an answer from Slack. `retry_after`: in seconds.
    """

    status: int
    word: str
    is_page: bool = False
    retry_after: float | None = None

    @property
    def is_taken(self) -> bool:
        """Whether a webhook accepted the message. A proxy may turn a refusal into a 200, so the error code counts."""
        refusals = _ADDRESS.keys() | _CREDENTIAL.keys() | _FORM | _MAYBE_DONE | _RATE_LIMITED
        return self.status == HTTPStatus.OK and not self.is_page and self.word not in refusals

    @property
    def is_about_form(self) -> bool:
        """Whether the same message might be accepted as plain text."""
        return self.word in _FORM

    @property
    def is_about_thread(self) -> bool:
        """Whether the same message might be accepted outside the thread."""
        return self.word in _THREAD


def answer(status: int, body: str, headers: Mapping[str, str]) -> SlackAnswer:
    """Parse an answer."""
    said = body.strip().lstrip("\ufeff")
    return SlackAnswer(status, _word(said), said.startswith("<"), _retry_after(headers))


def is_about_token(answer: SlackAnswer) -> bool:
    """Whether the bot's token is at fault, which concerns all of its channels."""
    return answer.word in _CREDENTIAL


def webhook_error(answer: SlackAnswer) -> ChannelError:
    """The error for a webhook's answer. A webhook's credential is its URL."""
    if answer.word in _CREDENTIAL:
        return _gone(answer, f"the webhook is no longer valid; {_NEW_WEBHOOK}")
    return _error(answer)


def bot_error(answer: SlackAnswer) -> ChannelError:
    """The error for an answer of the Web API."""
    if answer.word in _CREDENTIAL:
        return ChannelError(f"{_what(answer)}: {_CREDENTIAL[answer.word]}", permanent=False)
    return _error(answer)


def _error(answer: SlackAnswer) -> ChannelError:
    if answer.is_page and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        # Such as a proxy's login page. It may have any status, and must not disable an address.
        return ChannelError(f"a web page answered instead of Slack ({answer.status})", permanent=False)
    if answer.word in _ADDRESS:
        return _gone(answer, _ADDRESS[answer.word])
    if answer.is_about_form:
        why = "Slack does not take the message as it is; please report this as a fault"
        return ChannelError(f"{_what(answer)}: {why}", permanent=True)
    if answer.status in _ADDRESS_STATUSES:
        return _gone(answer, "Slack does not know this address any more")
    if answer.word in _MAYBE_DONE or (not answer.word and answer.status in _MAYBE_DONE_STATUSES):
        return ChannelError(_what(answer), permanent=False, retry_after=answer.retry_after, maybe_sent=True)
    # Unknown error codes of the Web API come with 200, and are tried again: that does less harm than losing a message.
    refused = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    permanent = refused and answer.status not in _TRY_AGAIN
    return ChannelError(_what(answer), permanent=permanent, retry_after=answer.retry_after)


def _gone(answer: SlackAnswer, why: str) -> ChannelError:
    return ChannelError(f"{_what(answer)}: {why}", permanent=True, gone=True)


def _what(answer: SlackAnswer) -> str:
    return f"Slack answered {answer.status}" + (f" {answer.word}" if answer.word else "")


def _word(said: str) -> str:
    """Slack's error code: the body itself, or `error` in it; "" if there is none."""
    with suppress(ValueError, TypeError, LookupError, RecursionError):
        said = str(json.loads(said)["error"])
    return said if len(said) <= 60 and said.replace("_", "").isalnum() and said.isascii() else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds Slack asks to wait (docs.slack.dev/apis/web-api/rate-limits)."""
    for name, value in headers.items():
        if name.lower() == "retry-after" and value.strip().isdecimal():
            return float(value)
    return None
