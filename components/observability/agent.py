"""What the CloudWatch agents of the add-on collect. Pure.

Values of the chart that the add-on installs: github.com/aws-observability/helm-charts.
"""

from __future__ import annotations

import json
from typing import Any

NAMESPACE = "ContainerInsights/Prometheus"
"""Of metrics in CloudWatch that the agent reads from Argo CD."""
APPLICATIONS = "argocd_app_info"
"""A gauge: 1 for each Application, with its health as a label."""
RECONCILIATIONS = "argocd_redis_request_total"
"""A counter: the controller writes what each reconciliation found to Redis. The agent drops
histograms, which Argo CD's own counts of reconciliations are."""
CONTROLLER = "argocd-application-controller-metrics.argocd.svc:8082"
"""The Service of Argo CD's chart with the controller's metrics."""


def configuration_values(cluster: str, region: str) -> str:
    """The add-on's configuration: a second agent beside the one on each node, for Argo CD.

    Application Signals is off: it would put agents into the services' pods.
    """
    return json.dumps(
        {
            "applicationSignals": {"enabled": False},
            "agents": [{"name": "cloudwatch-agent"}, _of_argocd(cluster, region)],
        },
        sort_keys=True,
    )


def _of_argocd(cluster: str, region: str) -> dict[str, Any]:
    collected = {
        "cluster_name": cluster,
        "log_group_name": f"/aws/containerinsights/{cluster}/prometheus",
        "emf_processor": {
            "metric_namespace": NAMESPACE,
            "metric_declaration": [
                _declared(APPLICATIONS, "ClusterName", "health_status"),
                _declared(RECONCILIATIONS, "ClusterName"),
            ],
        },
    }
    wanted = {
        "source_labels": ["__name__"],
        "regex": f"{APPLICATIONS}|{RECONCILIATIONS}",
        "action": "keep",
    }
    job = {
        "job_name": "argocd",
        "static_configs": [{"targets": [CONTROLLER]}],
        "metric_relabel_configs": [wanted],
    }
    return {
        "name": "cloudwatch-agent-argocd",
        "mode": "deployment",
        "hostNetwork": False,  # on a node's network it would not find Services by name
        "config": {
            "agent": {"region": region},
            "logs": {"metrics_collected": {"prometheus": collected}},
        },
        "prometheus": {
            "config": {
                "global": {"scrape_interval": "1m", "scrape_timeout": "10s"},
                "scrape_configs": [job],
            }
        },
    }


def _declared(metric: str, *dimensions: str) -> dict[str, Any]:
    return {
        "source_labels": ["job"],
        "label_matcher": "^argocd$",
        "dimensions": [list(dimensions)],
        "metric_selectors": [f"^{metric}$"],
    }
