"""The inbox, where notifications arrive."""

from __future__ import annotations

from lab.daemons.inbox import Inbox


def test_documents_are_read_in_the_order_of_their_arrival() -> None:
    inbox = Inbox()
    inbox.keep("/dev", b'{"app": "a"}')
    inbox.keep("/prod", b'{"app": "b"}')

    assert [document["body"] for document in inbox.below("/")] == [{"app": "a"}, {"app": "b"}]


def test_a_path_reads_and_forgets_only_what_is_below_it() -> None:
    inbox = Inbox()
    for path in ("/prod", "/prod/deployed", "/production"):
        inbox.keep(path, b"{}")

    assert [document["path"] for document in inbox.below("/prod")] == ["/prod", "/prod/deployed"]
    inbox.forget("/prod")
    assert [document["path"] for document in inbox.below("/")] == ["/production"]


def test_what_is_not_json_is_kept_as_text() -> None:
    inbox = Inbox()
    inbox.keep("/", b"hello \xff")

    assert inbox.below("/")[0]["body"] == "hello �"
