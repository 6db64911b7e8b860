"""Keeps compiled templates for a whole process."""

from __future__ import annotations

from types import CodeType

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class CompiledTemplates(BytecodeCache):
    """Keeps compiled templates for a whole process.

    Compiling takes most of the time of a first page or message (about 0.1 s a template). Environments that escape
    differently need a cache each, because what is escaped while compiling stays so.
    """

    def __init__(self) -> None:
        self._code: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of a template that was compiled before, if its source is the same."""
        bucket.code = self._code.get(bucket.key + bucket.checksum)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        assert bucket.code
        self._code[bucket.key + bucket.checksum] = bucket.code
