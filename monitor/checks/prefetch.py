"""Fetches both lists and starts reading them before either is checked, so that waiting times overlap."""

from __future__ import annotations

from monitor.errors import SourceError
from monitor.model import Fetched, ListName, NotLinked, NotModified, SourceOfLists, Validators
from monitor.storage.writer import Store
from monitor.workbooks.sandbox import Reader


class Ahead:
    """A source that has asked another one for both lists already."""

    def __init__(self, source: SourceOfLists, reader: Reader, store: Store) -> None:
        self._answers: dict[ListName, Fetched | NotModified | NotLinked | SourceError] = {}
        for list_ in ListName:
            try:
                answer = source.fetch(list_, store.publications.validators(list_))
            except SourceError as exc:
                self._answers[list_] = exc
                continue
            self._answers[list_] = answer
            if isinstance(answer, Fetched):
                reader.ahead(answer)
                store.current(list_)  # it will be compared with this, which the store then has at hand

    def fetch(self, list_: ListName, since: Validators) -> Fetched | NotModified | NotLinked:
        """What the other source answered."""
        answer = self._answers[list_]
        if isinstance(answer, SourceError):
            raise answer
        return answer
