"""What AWS's own controllers do in one cluster: `python -m lab.cloud_controllers ENVIRONMENT`."""

from __future__ import annotations

import signal
import sys
import time

import requests

from lab import load_balancer, volumes
from lab.daemons.cloud_controllers import marker
from lab.kubernetes_api import KubernetesApi
from lab.site import Site

POLL_SECONDS = 1


def main(environment: str) -> None:
    """Work until SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    site = Site.from_environment()
    api = KubernetesApi(site, environment)
    marker(site, environment).touch()
    while True:
        try:
            load_balancer.give_addresses(api, f"load-balancer.{environment}.acme.example")
            volumes.reconcile(api)
        except requests.RequestException as error:
            print(f"the API server does not answer: {error}", flush=True)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
