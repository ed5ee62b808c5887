"""The vocabulary in which an AWS resource type is declared: rows of data, read by `resources.py`.

Names are those of the pulumi_aws SDK. A property is sent as the request member of the same name
(the case of the first letter aside, as botocore's model spells it) and seen under the same name in
AWS's description of the resource; a row says only what differs from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.aws.api import Aws

Values = dict[str, Any]
Replaces = bool | Callable[[Any, Any], bool]


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a resource type."""

    name: str
    required: bool = False
    replaces: Replaces = False
    """A change needs a new resource: always, or when the function says so of (old, new)."""
    default: Any = None
    """What `check` fills in where the program says nothing."""
    computed: bool = False
    """Where the program says nothing AWS chooses, and the choice is no difference."""
    output: bool = False
    """AWS sets it; the program cannot."""
    volatile: bool = False
    """An output that an update may change."""
    local: bool = False
    """A wish about how to operate, unknown to AWS: kept in the state only."""
    unordered: bool = False
    json: bool = False
    verbatim: bool = False
    """A map whose keys are the user's own: their case is left alone."""
    autonamed: bool = False
    """Named after the resource, with a random suffix, where the program gives no name."""
    member: str = ""
    """The request member, with dots into nested ones; empty: the property's own name."""
    seen: str = ""
    """JMESPath into the description; empty: the member."""
    composed: bool = False
    """The type's own templates and functions put it into requests, not its name."""
    write: Callable[[Any], Any] | None = None
    """Turns the program's value into the request's."""


def required(name: str, **flags: Any) -> Property:
    return Property(name=name, required=True, **flags)


def optional(name: str, **flags: Any) -> Property:
    return Property(name=name, **flags)


def output(name: str, seen: str = "", **flags: Any) -> Property:
    return Property(name=name, output=True, seen=seen, **flags)


@dataclass(frozen=True, kw_only=True)
class Read:
    """How AWS describes one resource: `"{name}"` in parameters stands for a property or `id`."""

    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    at: str = "@"
    """JMESPath to the description in the answer; nothing there means that it is gone."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """An operation that sets some properties of an existing resource."""

    operation: str
    sets: Sequence[str]
    separately: bool = False
    """AWS accepts one property a call."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    compose: Callable[[Values], Values] | None = None
    """Adds the parameters that no row can describe."""
    when: str = ""
    """Only while this property is set; `unless`: only while it is not."""
    unless: str = ""
    adds: str = ""
    """The request member for new items, where AWS takes the changes of a collection."""
    removes: str = ""


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """How a type is tagged after its creation."""

    tag: str = "tag_resource"
    untag: str = "untag_resource"
    address: Mapping[str, Any] = field(default_factory=dict)
    read: Read | None = None
    """Where tags are read when the description does not carry them."""
    seen: str = "tags"
    specification: str = ""
    """EC2's name of the resource type in TagSpecifications; empty: a plain `tags` member."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One resource type: its properties and the AWS operations behind its life."""

    pulumi_type: str
    """As the SDK sends it: `aws:ec2/vpc:Vpc`."""
    service: str
    properties: Sequence[Property]
    create: str = ""
    """The operation; empty: `adopt` finds what AWS made already."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Request members of the creation that are not properties."""
    compose: Callable[[Values], Values] | None = None
    """Adds the creation's parameters that no row can describe."""
    identity: Sequence[str] = ("id",)
    """What the Pulumi id is made of: properties, or names in `answers`."""
    separator: str = ":"
    answers: Mapping[str, str] = field(default_factory=dict)
    """JMESPath into the creation's answer for parts of the identity that AWS chooses."""
    address: Mapping[str, Any] = field(default_factory=dict)
    """How update and delete name the resource."""
    locate: Read | None = None
    """Asked before update and delete for parts of the address that only AWS knows."""
    read: Read
    updates: Sequence[Update] = ()
    delete: str = ""
    """The operation; empty: the resource is let go of and stays (AWS has no way to delete it)."""
    deletion: Mapping[str, Any] = field(default_factory=dict)
    """Further parameters of the deletion."""
    gone: Sequence[str] = ()
    """Error codes that mean: no such resource."""
    tagging: Tagging | None = None
    clashes: bool = False
    """Two of it cannot exist side by side, so a replacement deletes first."""
    siblings: Read | None = None
    """Lists what a creation may have left behind: `at` yields the values of identity[-1]."""
    adopt: Callable[[Aws, Values], str] | None = None
    before_delete: Callable[[Aws, str, Values], None] | None = None
    after_create: Callable[[Aws, str, Values], None] | None = None
    after_update: Callable[[Aws, str, Values, Values], None] | None = None
    """Called with (aws, id, old inputs, new inputs)."""
    complete: Callable[[Aws, Values, Values], Values] | None = None
    """Adds to (aws, description, address) what takes further calls."""
    rules: Callable[[Values, Values], list[tuple[str, str]]] | None = None
    """Further problems of (old inputs, new inputs) as (property, reason)."""

    @property
    def inputs(self) -> tuple[Property, ...]:
        return tuple(row for row in self.properties if not row.output)

    @property
    def by_name(self) -> dict[str, Property]:
        return {row.name: row for row in self.properties}
