"""Lists of byte strings and of booleans out of a pickle, read as data: nothing of it is run.

A pickle is a program for a stack machine, whose instructions may call anything. Here a machine of
our own has the few instructions that put byte strings and booleans into lists and tuples, and
refuses all others; `pickletools` cuts the file into instructions and runs none.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from typing import Any

_MARK = object()
_ENCODE = object()
"""Stands for `_codecs.encode`: Python 3 writes bytes of protocol 2 as a call of it on a text."""

_NEWEST_PROTOCOL = 5


def loads_lists(content: bytes) -> Any:
    """What a pickle of protocol 2 to 5 says, if that is made of lists, tuples, bytes, booleans.

    A `str` of Python 2 is read as bytes, and whole numbers below 256 as they are.

    Raises:
        ValueError: it is no pickle, is damaged, or says anything else; with what and where.
    """
    machine = _Machine(len(content))
    position = 0
    try:
        for operation, argument, at in pickletools.genops(io.BytesIO(content)):
            position = at or 0
            if operation.name == "STOP":
                return machine.result()
            machine.do(operation.name, argument)
    except (ValueError, IndexError, KeyError, OverflowError, AttributeError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it takes what is not there"
        raise ValueError(f"{reason} (byte {position})") from None
    raise ValueError(f"it has no end (byte {position})")


class _Machine:
    def __init__(self, room: int) -> None:
        # A text that is remembered could be made into bytes again and again, until memory is full.
        self._room = room
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._begun = False
        self._instructions: dict[str, Callable[[Any], None]] = {
            "PROTO": self._protocol,
            "FRAME": lambda _: None,
            "MARK": lambda _: self._stack.append(_MARK),
            "EMPTY_LIST": lambda _: self._stack.append([]),
            "EMPTY_TUPLE": lambda _: self._stack.append(()),
            "NEWTRUE": lambda _: self._stack.append(True),
            "NEWFALSE": lambda _: self._stack.append(False),
            "BININT1": self._stack.append,
            "SHORT_BINBYTES": self._stack.append,
            "BINBYTES": self._stack.append,
            "BINBYTES8": self._stack.append,
            "SHORT_BINSTRING": lambda text: self._stack.append(text.encode("latin-1")),
            "BINSTRING": lambda text: self._stack.append(text.encode("latin-1")),
            "BINUNICODE": self._stack.append,
            "GLOBAL": self._named,
            "REDUCE": self._encoded,
            "APPEND": lambda _: self._extend([self._stack.pop()]),
            "APPENDS": lambda _: self._extend(self._since_mark()),
            "TUPLE": lambda _: self._stack.append(tuple(self._since_mark())),
            "TUPLE2": self._pair,
            "BINPUT": self._remember,
            "LONG_BINPUT": self._remember,
            "MEMOIZE": lambda _: self._remember(len(self._memo)),
            "BINGET": lambda number: self._stack.append(self._memo[number]),
            "LONG_BINGET": lambda number: self._stack.append(self._memo[number]),
        }

    def do(self, name: str, argument: Any) -> None:
        instruction = self._instructions.get(name)
        if instruction is None:
            raise ValueError(f"it has the instruction {name}, which a list of pictures does not")
        if not self._begun and name != "PROTO":
            raise ValueError("it is no pickle of protocol 2 or later")
        instruction(argument)

    def result(self) -> Any:
        if len(self._stack) != 1:
            raise ValueError(f"it ends with {len(self._stack)} values, not with one")
        return self._stack[0]

    def _protocol(self, number: int) -> None:
        if self._begun or not 2 <= number <= _NEWEST_PROTOCOL:
            raise ValueError(f"it is of protocol {number}")
        self._begun = True

    def _named(self, name: str) -> None:
        if name != "_codecs encode":
            raise ValueError(f"it names {name!r} to be called: that may harm, and is not done")
        self._stack.append(_ENCODE)

    def _encoded(self, _: None) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        match arguments:
            case (str() as text, "latin1") if function is _ENCODE and len(text) <= self._room:
                self._room -= len(text)
                self._stack.append(text.encode("latin-1"))
            case _:
                raise ValueError("it calls something: that may harm, and is not done")

    def _since_mark(self) -> list[Any]:
        items = []
        while (item := self._stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise ValueError("it appends to what is no list")
        target.extend(items)

    def _pair(self, _: None) -> None:
        second, first = self._stack.pop(), self._stack.pop()
        self._stack.append((first, second))

    def _remember(self, number: int) -> None:
        self._memo[number] = self._stack[-1]
