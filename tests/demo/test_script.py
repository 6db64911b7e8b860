"""What a fake was told comes in the order in which it was told."""

from __future__ import annotations

import pytest

from demo.script import Script


def played(script: Script[str], requests: int, *scopes: str) -> list[str | None]:
    return [script.next(*scopes) for _ in range(requests)]


def test_acts_told_with_times_come_one_after_another_and_end() -> None:
    script: Script[str] = Script()
    script.tell("page", "429", times=2)
    script.tell("page", "500", times=1)
    assert played(script, 4, "page") == ["429", "429", "500", None]


def test_an_act_without_times_lasts() -> None:
    script: Script[str] = Script()
    script.tell("page", "429", times=1)
    script.tell("page", "404")
    assert played(script, 3, "page") == ["429", "404", "404"]


def test_an_act_without_times_makes_room_for_the_next() -> None:
    script: Script[str] = Script()
    script.tell("page", "500")
    script.tell("page", "404", times=1)
    assert played(script, 2, "page") == ["404", None]


def test_the_first_scope_that_has_an_act_gives_it() -> None:
    script: Script[str] = Script()
    script.tell("all", "451")
    script.tell("a@b.test", "550", times=1)
    assert played(script, 2, "a@b.test", "all") == ["550", "451"]


def test_nothing_is_left_after_forgetting() -> None:
    script: Script[str] = Script()
    script.tell("page", "500")
    script.forget()
    assert script.next("page") is None


def test_an_act_for_no_time_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="times"):
        Script[str]().tell("page", "500", times=0)
