"""The lab's load balancer, the names that lead to it, and its certificates."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from lab import load_balancer, names
from lab.pki import self_signed_once
from lab.site import Site

REGION = "eu-central-1"
HOST = "tournaments.dev.acme.example"


class Cluster:
    """Objects by their path; keeps what is replaced."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects
        self.replaced: dict[str, Any] = {}

    def get(self, path: str) -> Any:
        return self.objects.get(path)

    def replace(self, path: str, body: Any) -> Any:
        self.replaced[path] = body
        return body


def ingress(name: str, ingress_class: str | None, address: str = "", host: str = HOST) -> Any:
    path = {"backend": {"service": {"name": name, "port": {"name": "http"}}}}
    status = {"loadBalancer": {"ingress": [{"hostname": address}]}} if address else {}
    named = {"ingressClassName": ingress_class} if ingress_class else {}
    rules = [{"host": host, "http": {"paths": [path]}}]
    return {
        "metadata": {"namespace": "community", "name": name},
        "spec": {**named, "rules": rules},
        "status": status,
    }


def cluster(*ingresses: Any, scheme: str = "internet-facing") -> Cluster:
    networking = "/apis/networking.k8s.io/v1"
    return Cluster(
        {
            f"{networking}/ingresses": {"items": list(ingresses)},
            f"{networking}/ingressclasses/alb": {
                "spec": {
                    "controller": "eks.amazonaws.com/alb",
                    "parameters": {"name": "alb"},
                }
            },
            f"{networking}/ingressclasses/other": {
                "spec": {"controller": "example.com/other", "parameters": {"name": "x"}}
            },
            "/apis/eks.amazonaws.com/v1/ingressclassparams/alb": {
                "spec": {
                    "scheme": scheme,
                    "group": {"name": "acme-dev"},
                    "certificateARNs": ["arn:one"],
                }
            },
        }
    )


def given(found: Cluster, *, issued: bool = True) -> list[str]:
    """The addresses that the controller gives."""
    api: Any = found
    load_balancer.give_addresses(api, REGION, "elsewhere.example", lambda _: issued)
    return [
        body["status"]["loadBalancer"]["ingress"][0]["hostname"] for body in found.replaced.values()
    ]


def test_a_class_decides_which_load_balancer_it_is() -> None:
    (first, second) = given(cluster(ingress("a", "alb"), ingress("b", "alb")))
    assert first == second
    assert first.startswith("k8s-acmedev-")
    assert first.endswith(".eu-central-1.elb.amazonaws.com")
    (internal,) = given(cluster(ingress("a", "alb"), scheme="internal"))
    assert internal.startswith("internal-k8s-acmedev-")


def test_without_a_certificate_there_is_no_load_balancer() -> None:
    assert given(cluster(ingress("a", "alb")), issued=False) == []


@pytest.mark.parametrize("unknown", ["other", "missing"])
def test_a_class_of_others_is_left_to_them(unknown: str) -> None:
    assert given(cluster(ingress("a", unknown))) == []


def test_an_ingress_without_a_class_gets_an_address_that_leads_nowhere() -> None:
    assert given(cluster(ingress("a", None))) == ["elsewhere.example"]


def test_a_host_leads_to_its_service_once_there_is_an_address() -> None:
    with_one: Any = cluster(ingress("a", "alb", "lb.example"))
    without: Any = cluster(ingress("a", "alb"))
    assert load_balancer.backend(with_one, HOST) == ("community", "a")
    assert load_balancer.backend(with_one, "other.dev.acme.example") is None
    assert load_balancer.backend(without, HOST) is None


RECORDS = [
    {"Name": f"{HOST}.", "Type": "A", "AliasTarget": {"DNSName": "lb.example."}},
    {"Name": f"a-{HOST}.", "Type": "TXT", "ResourceRecords": [{"Value": '"x"'}]},
    {"Name": "cd.acme.example.", "Type": "CNAME", "ResourceRecords": [{"Value": "lb2.example"}]},
]


@pytest.mark.parametrize(
    ("host", "target"),
    [
        (HOST, "lb.example"),
        ("cd.acme.example", "lb2.example"),
        (f"a-{HOST}", None),
        ("nobody.dev.acme.example", None),
        ("shop.example", None),
    ],
)
def test_a_name_leads_where_route_53_says(
    host: str, target: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(names, "records", lambda site, environment: RECORDS)
    assert names.target_of(Site(home=tmp_path), host) == target


def test_a_certificate_is_made_once_for_its_names(tmp_path: Path) -> None:
    wanted = ["*.dev.acme.example", "cd.acme.example"]
    first = self_signed_once(tmp_path / "dev.crt", wanted)
    text = Path(first[0]).read_bytes()
    assert self_signed_once(tmp_path / "dev.crt", wanted) == first
    assert Path(first[0]).read_bytes() == text
    found = x509.load_pem_x509_certificate(text).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert found.value.get_values_for_type(x509.DNSName) == wanted
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*first)
