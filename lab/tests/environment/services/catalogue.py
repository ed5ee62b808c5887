"""What the tests here add to the committed catalogue, all at once: each addition takes minutes."""

from __future__ import annotations

from typing import Any

from lab.site import CHECKOUT
from lab.tests.environment.changed_program import Addition, Content, read
from tests.scripts.chart_repository import STATEFUL_SET, ChartRepository

SECRETS, MIGRATIONS, SHOP, PACKAGES, VERIFIED = "pay", "office", "shop", "tools", "audit"
"""The namespaces."""
_BUILT = {"owner": "orders", "ci": "github-actions", "port": 8080}
_PAY = {
    **_BUILT,
    "delivery": "commit",
    "environments": ["dev"],
}
_OFFICE = {
    **_BUILT,
    "migrate": {"command": ["/migrate"], "minutes": 1},
    "overrides": {"dev": {"replicas": 2}},
}
_VERIFIED = {
    **_BUILT,
    "source": "acme/reports",
    "delivery": "commit",
    "verify": {"command": "./verify"},
}
_WITH_SECRETS = {
    "payments": {**_PAY, "source": "acme/payments", "secrets": ["DATABASE_URL"]},
    "ledgers": {**_PAY, "source": "acme/ledgers", "secrets": {"files": ["key.pem"]}},
}
_WITH_MIGRATIONS = {
    "accounts": {
        **_OFFICE,
        "source": "acme/accounts",
        "delivery": "keel",
        "packaging": "helm",
        "processes": {"worker": {"command": ["/worker"]}},
    },
    "invoices": {
        **_OFFICE,
        "source": "acme/invoices",
        "delivery": "commit",
        "processes": {"minutely": {"command": ["/minutely"], "schedule": "* * * * *"}},
    },
}
_DISKS = {"aws-ebs-csi-driver": "v1.40.0-eksbuild.1"}
"""Node groups need this add-on for volumes; Auto Mode, which dev has, brings its own."""
DEFINITION = "customresourcedefinitions/caches.example.com"
"""What the chart has beside namespaced objects."""
CHART = {
    "statefulset.yaml": STATEFUL_SET,
    "secret.yaml": """\
apiVersion: v1
kind: Secret
metadata: {name: "{{ .Release.Name }}-{{ .Chart.Name }}"}
stringData: {for: tests}
""",
    "definition.yaml": """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: caches.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Cache, plural: caches, singular: cache}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, description: {{ repeat 300000 "x" | quote }}}}
""",
}
"""A definition is larger than the annotation in which a client's apply keeps a copy."""


def package(charts: ChartRepository, version: str) -> Content:
    """Publish a version of the chart; the catalogue's entry that names it."""
    return {
        "owner": "orders",
        "chart": {
            "repository": charts.url,
            "name": "redis",
            "version": version,
            "digest": charts.publish("redis", version, CHART),
        },
        "overrides": {"prod": {"values": {"replicas": 2}}},
        "kinds": ["Secret"],
        "clusterKinds": ["apiextensions.k8s.io/CustomResourceDefinition"],
    }


def addition(charts: ChartRepository) -> Addition:
    shop: dict[str, Any] = read(CHECKOUT / "docs" / "examples" / "shop.yaml")
    return Addition(
        teams=shop["teams"],
        namespaces={
            SECRETS: {"services": _WITH_SECRETS},
            MIGRATIONS: {"services": _WITH_MIGRATIONS},
            PACKAGES: {"packages": {"sessions": package(charts, "21.2.0")}},
            VERIFIED: {"services": {"reports": _VERIFIED}},
            SHOP: shop["namespaces"]["shop"],
        },
        clusters={"prod": {"addons": _DISKS}},
        stack={"platform:secrets": {}},
    )
