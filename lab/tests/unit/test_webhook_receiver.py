"""The receiver of webhooks, where notifications arrive."""

from __future__ import annotations

from lab.daemons.webhook_receiver import Deliveries


def test_documents_are_read_in_the_order_of_their_arrival() -> None:
    deliveries = Deliveries()
    deliveries.add("/dev", b'{"app": "a"}')
    deliveries.add("/prod", b'{"app": "b"}')

    assert [document["body"] for document in deliveries.below("/")] == [{"app": "a"}, {"app": "b"}]


def test_a_path_reads_and_deletes_only_what_is_below_it() -> None:
    deliveries = Deliveries()
    for path in ("/prod", "/prod/deployed", "/production"):
        deliveries.add(path, b"{}")

    assert [document["path"] for document in deliveries.below("/prod")] == [
        "/prod",
        "/prod/deployed",
    ]
    deliveries.delete("/prod")
    assert [document["path"] for document in deliveries.below("/")] == ["/production"]


def test_what_is_not_json_is_stored_as_text() -> None:
    deliveries = Deliveries()
    deliveries.add("/", b"hello \xff")

    assert deliveries.below("/")[0]["body"] == "hello �"
