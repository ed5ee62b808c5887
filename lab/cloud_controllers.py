"""What AWS's own controllers do in one cluster: `python -m lab.cloud_controllers ENVIRONMENT`."""

from __future__ import annotations

import signal
import sys
import time

import requests
from botocore.exceptions import BotoCoreError, ClientError

from lab import load_balancer, volumes
from lab.aws_account import Account
from lab.balancing import LoadBalancer
from lab.daemons.cloud_controllers import marker
from lab.kubernetes_api import KubernetesApi
from lab.site import CHECKOUT, Site
from settings.loading import load_files

POLL_SECONDS = 1


def main(environment: str) -> None:
    """Work until SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    site = Site.from_environment()
    api = KubernetesApi(site, environment)
    where = load_files(environment, CHECKOUT).environment
    acm = Account(site, where.account, where.region).client("acm")

    def issued(certificate: str) -> bool:
        found = acm.describe_certificate(CertificateArn=certificate)["Certificate"]
        return bool(found["Status"] == "ISSUED")

    LoadBalancer(site, environment).start()
    marker(site, environment).touch()
    while True:
        try:
            elsewhere = f"load-balancer.{environment}.acme.example"
            load_balancer.give_addresses(api, where.region, elsewhere, issued)
            volumes.reconcile(api)
        except requests.RequestException as error:
            print(f"the API server does not answer: {error}", flush=True)
        except (BotoCoreError, ClientError) as error:
            print(f"AWS does not answer: {error}", flush=True)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
