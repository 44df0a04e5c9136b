"""`parameter_updates` of an SQL transformation, worked out on its present blocks (keboola-tools.md §2, TfOp).

Blocks and codes have no ids of their own: the MCP server numbers them `b0`, `b0.c1` by where they stand before the
first operation, and so does this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from kai_tui.conversation.reviews.call import Fields
from kai_tui.conversation.reviews.code_texts import script_text
from kai_tui.conversation.reviews.parameter_operations import NotWorkedOut


@dataclass(frozen=True, slots=True)
class CodeText:
    """One code of a transformation. A block without codes counts as one with no name and no text."""

    label: str
    """The same before and after."""
    block: str
    name: str
    script: str


@dataclass(slots=True)
class _Code:
    id: str
    label: str
    name: str
    script: str


@dataclass(slots=True)
class _Block:
    id: str
    label: str
    name: str
    codes: list[_Code] = field(default_factory=list[_Code])


class Blocks:
    """The blocks of a transformation while operations are tried on them."""

    def __init__(self, blocks: Sequence[Any]) -> None:
        self._blocks: list[_Block] = []
        self._new = 0
        for number, each in enumerate(blocks):
            fields = Fields(each)
            block = _Block(f"b{number}", f"b{number}", fields.text("name"))
            for place, code in enumerate(fields.objects("codes")):
                id = f"b{number}.c{place}"
                block.codes.append(_Code(id, id, code.text("name"), script_text(code.value("script"))))
            self._blocks.append(block)

    def codes(self) -> list[CodeText]:
        found: list[CodeText] = []
        for block in self._blocks:
            found += [CodeText(code.label, block.name, code.name, code.script) for code in block.codes]
            if not block.codes:
                found.append(CodeText(block.label, block.name, "", ""))
        return found

    def apply(self, given: Fields) -> None:
        """Raises NotWorkedOut with a sentence."""
        op = given.text("op")
        at_start = given.text("position") == "start"
        if op == "add_block":
            self._add_block(Fields(given.value("block")), at_start)
        elif op == "remove_block":
            self._blocks.remove(self._block(given))
        elif op == "rename_block":
            self._block(given).name = given.text("block_name")
        elif op == "add_code":
            code = self._made(Fields(given.value("code")))
            _put(self._block(given).codes, code, at_start)
        elif op == "remove_code":
            block = self._block(given)
            block.codes.remove(self._code(block, given))
        elif op == "rename_code":
            self._code(self._block(given), given).name = given.text("code_name")
        elif op == "set_code":
            self._code(self._block(given), given).script = script_text(given.value("script"))
        elif op == "add_script":
            code = self._code(self._block(given), given)
            parts = [script_text(given.value("script")), code.script]
            code.script = "\n".join(part for part in (parts if at_start else reversed(parts)) if part)
        elif op == "str_replace":
            self._replace(given)
        else:
            raise NotWorkedOut(f"{op or 'An operation without a name'} is not known.")

    def _add_block(self, given: Fields, at_start: bool) -> None:
        self._new += 1
        block = _Block("", f"new block {self._new}", given.text("name"))
        block.codes = [self._made(code) for code in given.objects("codes")]
        _put(self._blocks, block, at_start)

    def _made(self, given: Fields) -> _Code:
        self._new += 1
        return _Code("", f"new {self._new}", given.text("name"), script_text(given.value("script")))

    def _block(self, given: Fields) -> _Block:
        id = given.text("block_id")
        for block in self._blocks:
            if block.id and block.id == id:
                return block
        raise NotWorkedOut(f"There is no block {id or 'without an id'} now.")

    def _code(self, block: _Block, given: Fields) -> _Code:
        id = given.text("code_id")
        for code in block.codes:
            if code.id and code.id == id:
                return code
        raise NotWorkedOut(f"There is no code {id or 'without an id'} in block {block.id} now.")

    def _replace(self, given: Fields) -> None:
        search, replacement = given.text("search_for"), given.text("replace_with")
        if not search:
            raise NotWorkedOut("The text to replace is empty.")
        blocks = [self._block(given)] if given.text("block_id") else self._blocks
        codes = [code for block in blocks for code in block.codes]
        if given.text("code_id") and given.text("block_id"):
            codes = [self._code(blocks[0], given)]
        if not any(search in code.script for code in codes):
            raise NotWorkedOut("The text to replace is nowhere in there now.")
        for code in codes:
            code.script = code.script.replace(search, replacement)


def _put(items: list[Any], item: Any, at_start: bool) -> None:
    items.insert(0 if at_start else len(items), item)


def codes_of(blocks: Any) -> list[CodeText]:
    """The codes of a configuration, labelled by their names: for comparing two that were worked out elsewhere."""
    items = cast("list[Any]", blocks) if isinstance(blocks, list) else []
    return [
        CodeText(f"{code.block}\n{code.name}", code.block, code.name, code.script)
        for code in Blocks(items).codes()
    ]
