"""The life of a resource as its row in the table says: check, diff, create, read, update, delete.

Property maps come in and go out as plain Python values; nothing here knows gRPC.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jmespath

from lab.aws import requests, shapes
from lab.aws.api import Aws
from lab.aws.differences import Difference, changed, differences
from lab.aws.errors import HalfCreatedError, LabAwsError, RefusedError
from lab.aws.journal import Journal
from lab.aws.table import Kind, Property, Read, Tagging, Update, Values
from lab.aws.wire import UNKNOWN, has_unknown

PLACEHOLDER = re.compile(r"\{(\w+)\}")
SUFFIX = 7
"""Digits that make a name unique where the program gives none, as in the real provider."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One input that cannot be accepted."""

    property: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Resources of one account."""

    aws: Aws
    journal: Journal

    def check(
        self, kind: Kind, urn: str, old: Values, new: Values, seed: bytes = b""
    ) -> tuple[Values, list[Failure]]:
        """The inputs with defaults, and everything that is wrong with them."""
        inputs = {name: value for name, value in new.items() if not name.startswith("__")}
        failures = [
            Failure(
                property=name,
                reason=f"the lab does not play {name} of {kind.pulumi_type}; it plays "
                f"{', '.join(sorted(row.name for row in kind.inputs))}. "
                "Declare it in lab/aws/kinds/ if the program needs it",
            )
            for name in sorted(set(inputs) - {row.name for row in kind.inputs})
        ]
        for row in kind.inputs:
            if inputs.get(row.name) is None:
                value = self._filled_in(row, urn, old, inputs, seed)
                inputs.pop(row.name, None)
                if value is not None:
                    inputs[row.name] = value
                elif row.required:
                    failures.append(Failure(property=row.name, reason="is required"))
        region = inputs.get("region", self.aws.region)
        if region not in (self.aws.region, UNKNOWN):
            reason = f"the lab plays {self.aws.region} only, not {region}"
            failures.append(Failure(property="region", reason=reason))
        if kind.rules and not failures:
            found = kind.rules(old, inputs)
            failures += [Failure(property=name, reason=reason) for name, reason in found]
        if not failures and kind.create:
            failures = self._refused_by_model(kind, inputs)
        return inputs, failures

    def _filled_in(self, row: Property, urn: str, old: Values, inputs: Values, seed: bytes) -> Any:
        if not row.autonamed:
            return row.default
        if not old and (begun := self.journal.interrupted(urn)):
            old = begun.inputs
        if old.get(row.name) and old.get(f"{row.name}Prefix") == inputs.get(f"{row.name}Prefix"):
            return old[row.name]
        prefix = inputs.get(f"{row.name}Prefix") or f"{urn.rsplit('::', 1)[-1]}-"
        digits = random.Random(seed).choices("0123456789abcdef", k=SUFFIX)  # noqa: S311 a name
        return prefix + "".join(digits)

    def _refused_by_model(self, kind: Kind, inputs: Values) -> list[Failure]:
        incomplete = has_unknown(inputs)
        known = {name: value for name, value in inputs.items() if not has_unknown(value)}
        context = self._context(kind, "", known)
        request = requests.creation(kind, inputs, context)
        return [
            Failure(property="", reason=f"AWS would refuse it ({kind.create}): {problem}")
            for problem in shapes.problems(kind.service, kind.create, request)
            if not (incomplete and problem.startswith("Missing required parameter"))
        ]

    def diff(self, kind: Kind, urn: str, old_inputs: Values, new: Values) -> list[Difference]:
        """What an update would change. Pulumi knows the resource, so its creation is done."""
        self.journal.known(urn)
        return differences(kind, old_inputs, new)

    def preview(self, kind: Kind, inputs: Values, old: Values | None = None) -> Values:
        """The state as far as it can be told before AWS was asked."""
        if old is None:
            unknown = {
                row.name: UNKNOWN
                for row in kind.properties
                if (row.output or row.computed) and inputs.get(row.name) is None
            }
        else:
            kept = {row.name for row in kind.properties if row.output or row.computed}
            volatile = {row.name for row in kind.properties if row.volatile}
            unknown = {name: value for name, value in old.items() if name in kept}
            unknown |= dict.fromkeys(volatile, UNKNOWN)
        told = {"tagsAll": inputs.get("tags", {})} if kind.tagging else {}
        return {**unknown, **told, "region": self.aws.region, **inputs}

    def create(self, kind: Kind, urn: str, inputs: Values) -> tuple[str, Values]:
        """The id and the state of a new resource. Raises HalfCreatedError when it exists, but
        not as declared; any other error means that there is nothing."""
        identifier = self._interrupted(kind, urn, inputs) or self._created(kind, urn, inputs)
        self.journal.created(urn, inputs, identifier)
        try:
            self._settle(kind, identifier, inputs)
            if kind.after_create:
                kind.after_create(self.aws, identifier, inputs)
            return identifier, self._state(kind, identifier, inputs, inputs)
        except LabAwsError as failure:
            raise HalfCreatedError(identifier, failure) from failure

    def _created(self, kind: Kind, urn: str, inputs: Values) -> str:
        if kind.adopt:
            return kind.adopt(self.aws, inputs)
        request = requests.creation(kind, inputs, self._context(kind, "", inputs))
        self.journal.begin(urn, inputs)
        try:
            answer = self.aws.call(kind.service, kind.create, **request)
        except RefusedError:
            self.journal.known(urn)
            raise
        chosen = {name: jmespath.search(path, answer) for name, path in kind.answers.items()}
        return self._identifier(kind, {**inputs, **chosen})

    def _interrupted(self, kind: Kind, urn: str, inputs: Values) -> str | None:
        """What a killed run created of this very resource."""
        note = self.journal.interrupted(urn)
        if note is None or note.inputs != inputs or kind.adopt:
            return None
        if note.identifier is not None:
            candidates = [note.identifier]
        elif kind.siblings is None:
            candidates = [self._identifier(kind, inputs)]
        else:
            last = kind.identity[-1]
            found = self._ask(kind, kind.siblings, self._context(kind, "", inputs)) or []
            candidates = [self._identifier(kind, {**inputs, last: one}) for one in found]
        return next((one for one in candidates if self._is_as_asked(kind, one, inputs)), None)

    def _is_as_asked(self, kind: Kind, identifier: str, inputs: Values) -> bool:
        description = self._description(kind, identifier, inputs)
        if description is None:
            return False
        observed = requests.state(
            kind, description, inputs, self._context(kind, identifier, inputs)
        )
        rows = [row for row in kind.inputs if requests.sent_by_creation(kind, row)]
        return all(
            requests.matches(row, inputs.get(row.name), observed.get(row.name)) for row in rows
        )

    def _identifier(self, kind: Kind, values: Mapping[str, Any]) -> str:
        return kind.separator.join(str(values[name]) for name in kind.identity)

    def _settle(self, kind: Kind, identifier: str, inputs: Values) -> None:
        """Sets what the creating call does not take."""
        for step in kind.updates:
            names = [
                name
                for name in step.sets
                if inputs.get(name) is not None
                and not requests.sent_by_creation(kind, kind.by_name[name])
            ]
            self._set(kind, step, names, self._context(kind, identifier, inputs))

    def _set(self, kind: Kind, step: Update, names: list[str], values: Mapping[str, Any]) -> None:
        if (step.when and not values.get(step.when)) or (step.unless and values.get(step.unless)):
            return
        for group in [[name] for name in names] if step.separately else [names] * bool(names):
            request = requests.update(kind, step, group, values)
            self.aws.call(kind.service, step.operation, **request)

    def read(
        self, kind: Kind, urn: str, identifier: str, old: Values, inputs: Values
    ) -> tuple[str, Values, Values] | None:
        """Id, state and inputs as AWS has them; None when it is gone.

        Without a state (an import, or `.get`) the inputs are those that AWS shows.
        """
        self.journal.known(urn)
        known = {**old, **inputs}
        description = self._description(kind, identifier, known)
        if description is None:
            return None
        context = self._context(kind, identifier, known)
        state = requests.state(kind, description, known, context)
        return identifier, state, requests.inputs_of(kind, state, inputs or None)

    def update(
        self, kind: Kind, urn: str, identifier: str, *, old: Values, old_inputs: Values, new: Values
    ) -> Values:
        """The state after setting what differs. Setting again what was set already is harmless."""
        self.journal.known(urn)
        names = changed(kind, old_inputs, new)
        values = {name: _cleared(old_inputs[name]) for name in names if new.get(name) is None}
        context = self._located(kind, identifier, {**old, **new, **values})
        for step in kind.updates:
            hit = [name for name in step.sets if name in names]
            if step.adds:
                self._move(kind, step, old_inputs, new, context)
            elif hit:
                together = [name for name in step.sets if context.get(name) is not None]
                self._set(kind, step, hit if step.separately else together, context)
        if kind.after_update:
            kind.after_update(self.aws, identifier, old_inputs, new)
        if kind.tagging and "tags" in names:
            self._retag(
                kind, kind.tagging, old_inputs.get("tags", {}), new.get("tags", {}), context=context
            )
        return self._state(kind, identifier, new, {**old, **new})

    def _move(
        self, kind: Kind, step: Update, old: Values, new: Values, context: Mapping[str, Any]
    ) -> None:
        (name,) = step.sets
        added, removed = _moves(old.get(name) or [], new.get(name) or [])
        request = requests.update(kind, step, [], context)
        shape = shapes.request_shape(kind.service, step.operation)
        for member, items in ((step.adds, added), (step.removes, removed)):
            if items:
                shapes.place(request, shape, member, items)
        if added or removed:
            self.aws.call(kind.service, step.operation, **request)

    def _retag(
        self, kind: Kind, tagging: Tagging, old: Values, new: Values, *, context: Mapping[str, Any]
    ) -> None:
        address = requests.filled(tagging.address, context)
        removed = sorted(set(old) - set(new))
        if removed:
            shape = shapes.request_shape(kind.service, tagging.untag)
            request = dict(address)
            if not shapes.place(request, shape, "tagKeys", removed):
                request["Tags"] = [{"Key": key} for key in removed]
            self.aws.call(kind.service, tagging.untag, **request)
        fresh = {key: text for key, text in new.items() if old.get(key) != text}
        if fresh:
            request = dict(address)
            shapes.place(request, shapes.request_shape(kind.service, tagging.tag), "tags", fresh)
            self.aws.call(kind.service, tagging.tag, **request)

    def delete(self, kind: Kind, urn: str, identifier: str, old: Values) -> None:
        """Deletes the resource; one that is gone already is as good."""
        self.journal.known(urn)
        if not kind.delete:
            return
        context = self._located(kind, identifier, old)
        address = requests.accepted(kind.service, kind.delete, kind.address)
        request = requests.filled({**address, **kind.deletion}, context)
        try:
            if kind.before_delete:
                kind.before_delete(self.aws, identifier, old)
            if context["exists"]:
                self.aws.call(kind.service, kind.delete, **request)
        except RefusedError as refusal:
            if refusal.code not in kind.gone:
                raise

    def half_created(self, kind: Kind, identifier: str, inputs: Values) -> Values:
        """The state of what a failed creation left, as far as AWS shows it."""
        try:
            return self._state(kind, identifier, inputs, inputs)
        except LabAwsError:
            return inputs

    def _state(self, kind: Kind, identifier: str, declared: Values, known: Values) -> Values:
        description = self._description(kind, identifier, known)
        if description is None:
            raise LabAwsError(f"{kind.pulumi_type} {identifier} vanished right after the call")
        return requests.state(kind, description, declared, self._context(kind, identifier, known))

    def _description(self, kind: Kind, identifier: str, known: Values) -> Values | None:
        context = self._context(kind, identifier, known)
        description: Values | None = self._ask(kind, kind.read, context)
        if not description:
            return None
        description = {name: item for name, item in description.items() if item is not None}
        if kind.complete:
            description = kind.complete(self.aws, description, context)
        if kind.tagging:
            tags = self._tags(kind, kind.tagging, description, context)
            description |= {"tags": tags, "tagsAll": tags}
        return description

    def _tags(
        self, kind: Kind, tagging: Tagging, description: Values, context: Mapping[str, Any]
    ) -> Values:
        pairs = jmespath.search(tagging.seen, description)
        if tagging.read:
            readable = {**shapes.seen(description), **context}
            pairs = self._ask(kind, tagging.read, readable)
        return shapes.tag_map(pairs)

    def _ask(self, kind: Kind, read: Read, context: Mapping[str, Any]) -> Any:
        try:
            answer = self.aws.call(
                kind.service, read.operation, **requests.filled(read.parameters, context)
            )
        except RefusedError as refusal:
            if refusal.code in kind.gone:
                return None
            raise
        path = PLACEHOLDER.sub(lambda match: str(context[match[1]]), read.at)
        return jmespath.search(path, answer)

    def _located(self, kind: Kind, identifier: str, values: Mapping[str, Any]) -> Values:
        context = self._context(kind, identifier, values)
        if kind.locate is None:
            return {**context, "exists": True}
        found = self._ask(kind, kind.locate, context)
        return {**context, **(found or {}), "exists": bool(found)}

    def _context(self, kind: Kind, identifier: str, values: Mapping[str, Any]) -> Values:
        """What templates may name: the properties, the parts of the id, and where we are."""
        parts = dict(
            zip(
                kind.identity,
                identifier.split(kind.separator, len(kind.identity) - 1),
                strict=False,
            )
        )
        return {
            **values,
            **(parts if identifier else {}),
            "id": identifier,
            "region": self.aws.region,
            "account": self.aws.account,
        }


def _moves(before: Any, after: Any) -> tuple[Any, Any]:
    """What joined and what left a list, or a map (whose leavers are keys)."""
    if isinstance(before, dict) or isinstance(after, dict):
        old, new = dict(before), dict(after)
        joined = {key: item for key, item in new.items() if old.get(key) != item}
        return joined, sorted(set(old) - set(new))
    return [item for item in after if item not in before], [
        item for item in before if item not in after
    ]


def _cleared(value: Any) -> Any:
    """What takes the place of a value that the program no longer declares."""
    if isinstance(value, bool):
        return False
    if isinstance(value, str | list | dict):
        return type(value)()
    return None
