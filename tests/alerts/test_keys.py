"""The key of an installation."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from alerts.keys import key_file, new_token, open_keys
from alerts.model import ChannelName
from monitor.errors import StateUnusable
from monitor.settings import DeliverySettings
from tests.alerts.builders import settings

HASHED = (ChannelName.EMAIL, "reader@example.org")


def test_the_key_is_made_when_it_is_first_needed_and_only_its_owner_may_read_it(path: Path) -> None:
    first = open_keys(settings(path)).of_address(*HASHED)
    assert stat.S_IMODE(key_file(path).stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["state.db.key"]
    assert open_keys(settings(path)).of_address(*HASHED) == first


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    one, other = (open_keys(settings(tmp_path / name)) for name in ("one.db", "other.db"))
    assert one.of_address(*HASHED) != other.of_address(*HASHED)


def test_a_key_in_the_settings_goes_before_the_file(path: Path) -> None:
    configured = settings(path, delivery=DeliverySettings.model_validate({"key": "in the settings"}))
    open_keys(configured).of_address(*HASHED)
    assert not key_file(path).exists()


def test_many_who_make_the_key_at_once_make_one(path: Path) -> None:
    made: list[bytes] = []
    barrier = threading.Barrier(8)

    def make() -> None:
        barrier.wait()
        made.append(open_keys(settings(path)).of_address(*HASHED))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
    assert [p.name for p in path.parent.iterdir()] == ["state.db.key"]


def test_a_file_that_is_no_key_is_refused(path: Path) -> None:
    key_file(path).write_bytes(b"short")
    with pytest.raises(StateUnusable, match="is no key"):
        open_keys(settings(path))


def test_a_mail_address_has_one_hash_however_it_is_capitalised_and_another_on_another_channel(path: Path) -> None:
    keys = open_keys(settings(path))
    assert keys.of_address(ChannelName.EMAIL, "Reader@Example.org") == keys.of_address(*HASHED)
    assert keys.of_address(ChannelName.SLACK, "Aa") != keys.of_address(ChannelName.SLACK, "aA")
    assert keys.of_address(ChannelName.SLACK, "reader@example.org") != keys.of_address(*HASHED)


def test_no_two_tokens_are_alike() -> None:
    assert len({new_token() for _ in range(100)}) == 100
