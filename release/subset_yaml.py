"""Reads the YAML that people write into manifests and kustomizations.

A subset: block and flow collections, plain, quoted and block scalars, comments, several documents,
plain anchors. Every scalar is text (None where nothing or null stands): what is read here is
compared and shown, and never written back. What is not understood is an error and never a guess.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Optional

_BLOCK_SCALAR = re.compile(r"([|>])(?:([1-9])?([+-])?|([+-])([1-9]))\s*(?:#.*)?")
_KEY = re.compile(
    r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'"""
    r"""|[^\s\-?:,\[\]{}#&*!|>'"%@`][^#]*?|[-?:][^\s][^#]*?)\s*:(?=\s|$)"""
)
_ANCHOR = re.compile(r"&([^\s,\[\]{}]+)\s*")
_SECOND_KEY = re.compile(r":(\s|$)")
_COMMENT = re.compile(r"\s#")
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r",
    "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0",
    "L": "\u2028", "P": "\u2029", "\t": "\t",
}  # fmt: skip
_NULL = ("", "~", "null", "Null", "NULL")


class YamlError(ValueError):
    """It is no YAML, or YAML that this reader does not know."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")


def load(text: str) -> Any:
    """The only document in `text`; None where there is none."""
    documents = load_all(text)
    if len(documents) > 1:
        raise YamlError(1, "more than one document")
    return documents[0] if documents else None


def load_all(text: str) -> list[Any]:
    """The documents in `text`; empty ones are left out."""
    try:
        found = [_Document(lines, first).read() for first, lines in _documents(text)]
    except RecursionError as error:
        raise YamlError(1, "nested too deeply") from error
    return [document for document in found if document is not None]


def _documents(text: str) -> list[tuple[int, list[str]]]:
    documents: list[tuple[int, list[str]]] = [(1, [])]
    for number, raw in enumerate(text.lstrip("\ufeff").split("\n"), start=1):
        line = raw.rstrip("\r")
        if line == "---" or line.startswith("--- "):
            documents.append((number, [line[4:]]))
        elif line == "..." or (line.startswith("%") and not any(documents[-1][1])):
            documents.append((number, [""]))
        else:
            documents[-1][1].append(line)
    return documents


class _Document:
    def __init__(self, lines: list[str], first: int) -> None:
        self.lines, self.first, self.at = lines, first, 0
        self.contents = [_content(line) for line in lines]
        """Of each line, without its indentation; empty where it is blank or a comment."""
        self.indents = [len(line) - len(line.lstrip(" ")) for line in lines]
        self.anchors: dict[str, Any] = {}

    def read(self) -> Any:
        if not self._find():
            return None
        value = self._node(0)
        if self._find():
            raise self._error("this does not belong to the lines above")
        return value

    # --- lines

    def _error(self, problem: str) -> YamlError:
        return YamlError(self.first + min(self.at, len(self.lines) - 1), problem)

    def _find(self) -> bool:
        """Goes to the next line with content; whether there is one."""
        while self.at < len(self.contents) and not self.contents[self.at]:
            self.at += 1
        if self.at >= len(self.contents):
            return False
        if self.contents[self.at].startswith("\t"):
            raise self._error("a tab where spaces belong")
        return True

    # --- nodes

    def _node(self, least: int) -> Any:
        """The node that begins on the next line with content, at `least` columns or more."""
        if not self._find() or self.indents[self.at] < least:
            return None
        indent, content = self.indents[self.at], self.contents[self.at]
        if content == "-" or content.startswith("- "):
            return self._sequence(indent)
        if _KEY.match(content):
            return self._mapping(indent)
        if content.startswith("? "):
            raise self._error("a complex key")
        self.at += 1
        return self._value(content, indent - 1, indent)

    def _sequence(self, indent: int) -> list[Any]:
        found = []
        while self._find() and self.indents[self.at] == indent:
            content = self.contents[self.at]
            if not (content == "-" or content.startswith("- ")):
                break
            rest = content[1:].lstrip(" ")
            if not rest or rest.startswith("#"):
                self.at += 1
                found.append(self._node(indent + 1))
            elif _KEY.match(rest) or rest == "-" or rest.startswith("- "):
                column = indent + len(content) - len(rest)
                self.indents[self.at], self.contents[self.at] = column, rest
                found.append(self._node(column))
            else:
                self.at += 1
                found.append(self._value(rest, indent, indent + 1))
        return found

    def _mapping(self, indent: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._find() and self.indents[self.at] == indent:
            content = self.contents[self.at]
            match = _KEY.match(content)
            if match is None:
                raise self._error(f"neither a key nor an item: {content[:40]}")
            key = _scalar(match[0].rstrip()[:-1].strip())
            if not isinstance(key, str) or key == "<<":
                raise self._error(f"a key that is not understood: {content[:40]}")
            if key in found:
                raise self._error(f"the key {key} is there twice")
            self.at += 1
            found[key] = self._value(
                content[match.end() :].strip(), indent, indent + 1, mapping=True
            )
        if self.at < len(self.lines) and self._find() and self.indents[self.at] > indent:
            raise self._error("indented deeper than the line above")
        return found

    def _value(self, rest: str, parent: int, least: int, *, mapping: bool = False) -> Any:
        """The value that begins with `rest` on the line before, of a parent at column `parent`."""
        anchor = _ANCHOR.match(rest)
        if anchor:
            value = self._value(rest[anchor.end() :], parent, least, mapping=mapping)
            self.anchors[anchor[1]] = value
            return value
        if rest.startswith(("!!str ", "!!int ")):
            rest = rest[6:].lstrip()
        if not rest or rest.startswith("#"):
            if mapping and self._find() and self.indents[self.at] == parent:
                content = self.contents[self.at]
                if content == "-" or content.startswith("- "):
                    return self._sequence(parent)
            return self._node(least)
        return self._written(rest, parent)

    def _written(self, rest: str, parent: int) -> Any:
        """A value that begins on the line of its key."""
        block = _BLOCK_SCALAR.fullmatch(rest)
        if block:
            return self._block_scalar(block, parent)
        if rest[0] in "[{":
            return self._flow(rest, parent)
        if rest[0] in "\"'":
            return self._quoted(rest, parent)
        if rest[0] == "*":
            return self._alias(re.split(r"[\s#]", rest[1:], maxsplit=1)[0])
        if rest[0] in "!%@`|>&?,]}" or (rest[0] == "-" and rest[1:2] in ("", " ")):
            raise self._error(f"not understood: {rest[:40]}")
        return self._plain(rest, parent)

    def _alias(self, name: str) -> Any:
        if name not in self.anchors:
            raise self._error(f"the anchor {name} is not there")
        return self.anchors[name]

    def _plain(self, rest: str, parent: int) -> Optional[str]:
        words = _without_comment(rest)
        if ":" in words and _SECOND_KEY.search(words):
            raise self._error(f"a second key on the line: {rest[:40]}")
        if words == rest.rstrip():
            while self.at < len(self.lines) and self._continues(parent):
                line = self.lines[self.at].strip()
                if not line.startswith("#"):
                    if _KEY.match(line):
                        raise self._error("indented deeper than the line above")
                    words += f" {_without_comment(line)}" if line else ""
                self.at += 1
        return None if words in _NULL else words

    def _continues(self, parent: int) -> bool:
        return self.indents[self.at] > parent and bool(self.lines[self.at].strip())

    def _quoted(self, rest: str, parent: int) -> str:
        text = self._until(rest, parent, lambda t: _quoted_end(t) is not None)
        end = _quoted_end(text) or len(text)
        tail = text[end:].strip()
        if tail and not tail.startswith("#"):
            raise self._error(f"more behind a quoted text: {tail[:40]}")
        return _unquote(text[:end])

    def _flow(self, rest: str, parent: int) -> Any:
        def complete(text: str) -> bool:
            try:
                _Flow(text, self.anchors).read()
            except EOFError:
                return False
            return True

        try:
            text = self._until(rest, parent, complete)
            value, end = _Flow(text, self.anchors).read()
        except ValueError as error:
            raise self._error(str(error)) from error
        tail = text[end:].strip()
        if tail and not tail.startswith("#"):
            raise self._error(f"more behind a flow collection: {tail[:40]}")
        return value

    def _until(self, text: str, parent: int, complete: Any) -> str:
        while not complete(text):
            if self.at >= len(self.lines) or (
                self.lines[self.at].strip()
                and not self._continues(parent)
                and self.lines[self.at].strip()[0] not in "]}"
            ):
                raise self._error("a quoted text or a flow collection does not end")
            line = self.lines[self.at].strip()
            text += " " + (_without_comment(line) if text.lstrip()[0] in "[{" else line)
            self.at += 1
        return text

    def _block_scalar(self, header: re.Match[str], parent: int) -> str:
        folded, chomp = header[1] == ">", header[3] or header[4] or ""
        given = header[2] or header[5]
        indent = max(parent, 0) + int(given) if given else None
        lines: list[str] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            width = self.indents[self.at]
            if line.strip(" "):
                if indent is None and width > parent:
                    indent = width
                if indent is None or width < indent:
                    break
            lines.append(line[indent:] if indent is not None else "")
            self.at += 1
        text = "\n".join(lines)
        if folded:
            text = re.sub(r"(?<=\S)\n(?=\S)", " ", text)
        kept = text + "\n" if lines else ""
        if chomp == "+":
            return kept
        stripped = kept.rstrip("\n")
        return stripped if chomp == "-" or not stripped else stripped + "\n"


class _Flow:
    """A flow collection: [a, {b: c}]."""

    def __init__(self, text: str, anchors: dict[str, Any]) -> None:
        self.text, self.at, self.anchors = text, 0, anchors

    def read(self) -> tuple[Any, int]:
        """The value, and where it ends. Raises EOFError where it does not."""
        return self._value(), self.at

    def _peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        if self.at >= len(self.text):
            raise EOFError
        return self.text[self.at]

    def _value(self) -> Any:
        mark = self._peek()
        if mark == "[":
            return self._items()
        if mark == "{":
            return self._pairs()
        return self._atom(",]}")

    def _items(self) -> list[Any]:
        self.at += 1
        found = []
        while self._peek() != "]":
            value = self._value()
            if self._peek() == ":":
                self.at += 1
                value = {str(value): self._value()}
            found.append(value)
            self._comma("]")
        self.at += 1
        return found

    def _pairs(self) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        while self._peek() != "}":
            key = self._atom(":,}")
            if not isinstance(key, str) or key in found:
                raise ValueError(f"a key that is unknown or there twice: {key}")
            found[key] = None
            if self._peek() == ":":
                self.at += 1
                if self._peek() not in ",}":
                    found[key] = self._value()
            self._comma("}")
        self.at += 1
        return found

    def _comma(self, end: str) -> None:
        mark = self._peek()
        if mark == ",":
            self.at += 1
        elif mark != end:
            raise ValueError(f"neither a comma nor {end}: {self.text[self.at : self.at + 20]}")

    def _atom(self, ends: str) -> Any:
        mark = self._peek()
        if mark in "\"'":
            end = _quoted_end(self.text[self.at :])
            if end is None:
                raise EOFError
            start, self.at = self.at, self.at + end
            return _unquote(self.text[start : self.at])
        start = self.at
        while self.at < len(self.text):
            mark = self.text[self.at]
            after = self.text[self.at + 1 : self.at + 2]
            if mark in ",[]{}" or (mark == ":" and (after in ("", " ") or after in ",]}")):
                break
            self.at += 1
        else:
            raise EOFError
        words = self.text[start : self.at].strip()
        if words.startswith("*"):
            if words[1:] not in self.anchors:
                raise ValueError(f"the anchor {words[1:]} is not there")
            return self.anchors[words[1:]]
        if words[:1] in ("&", "!", "|", ">", "%", "@", "`") or (not words and mark not in ends):
            raise ValueError(f"not understood: {words[:20]}")
        return None if words in _NULL else words


def _scalar(text: str) -> Optional[str]:
    if text[:1] in "\"'" and text:
        return _unquote(text)
    return None if text in _NULL else text


def _without_comment(text: str) -> str:
    return (_COMMENT.split(text, maxsplit=1)[0] if "#" in text else text).rstrip()


def _content(line: str) -> str:
    content = line.strip(" ")
    return "" if content.startswith("#") or not content.strip() else content


def _quoted_end(text: str) -> Optional[int]:
    """Where the quoted text at the beginning of `text` ends; None where it does not."""
    pattern = r'"(?:[^"\\]|\\.)*"' if text[0] == '"' else r"'(?:[^']|'')*'"
    found = re.match(pattern, text, re.DOTALL)
    return found.end() if found else None


def _unquote(text: str) -> str:
    if text[0] == "'":
        return text[1:-1].replace("''", "'")

    def character(found: re.Match[str]) -> str:
        name = found[1]
        if name in _ESCAPES:
            return _ESCAPES[name]
        number = int(name[1:], 16) if name[1:] else sys.maxunicode + 1
        if number > sys.maxunicode:
            raise YamlError(1, f"the escape \\{name} is not understood")
        return chr(number)

    return re.sub(
        r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)",
        character,
        text[1:-1],
        flags=re.DOTALL,
    )
