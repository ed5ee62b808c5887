# Managed: generated, so change services.yaml or the stack files instead.
"""What each command says for --help."""

from release.errors import EXIT_CODES

PROMOTE = f"""\
Usage: scripts/promote-to-prod.sh [--service NAME]...            list versions, newest first
       scripts/promote-to-prod.sh VERSION [--service NAME]...    promote it
       scripts/promote-to-prod.sh --from-dev [--service NAME]... promote all that dev runs at once

A VERSION such as v20250819-f3b8541 without --service means every service that was built as that
version. A service is rendered from base, overlay and version, and the result is committed below
rendered/: that is what Argo CD applies. The difference is shown before anything happens. Promoting
the version that runs brings what changed in base and overlay ("configuration only"). Argo CD
deploys nothing until somebody approves the sync.

  --service NAME       only this service; may be repeated
  --from-dev           the versions that the fast environment runs now; without --service, those
                       of services whose version differs
  --configuration      with --from-dev, also services of which only base or overlay changed
  --environment NAME   the environment to promote to (prod, unless there is no such environment)
  --dry-run            show the difference and stop
  --yes                do not ask
  --pull-request       push a branch and open a pull request: merging it is the promotion
  --untested           also a version that never ran on the fast environment; the commit says so
  --unverified         also a version that its pipeline did not verify, where a service asks for it
  --hotfix             a version that was built on a branch hotfix/…, which does not reach the fast
                       environment; the commit says so
  --accept-findings REASON
                       also an image whose scan found what the stack refuses; the commit says why
  --offline            do not ask the registry; only versions whose digest Git records
  --limit N            list N versions of each service, 0 for all
  --help

What is checked: the registry has the version, its digest is one that the fast environment ran, and
what is rendered runs exactly that image and has nothing that Argo CD or Kubernetes would refuse. A
service whose builds are committed ran what Git says. A service that Keel delivers ran what the
moving tag points at now, and what its pipeline verified.

{EXIT_CODES}"""

ROLLBACK = f"""\
Usage: scripts/rollback-prod.sh                                  list where each service would go
       scripts/rollback-prod.sh --service NAME...                back to what ran before
       scripts/rollback-prod.sh VERSION [--service NAME]...      back to VERSION

A VERSION without --service means every service that ran it. Going back twice goes back two
versions: what was rolled back does not become the way back. What comes back is the whole state that
ran: the version and its rendered manifests.

  --service NAME       only this service; may be repeated
  --environment NAME   the environment (prod, unless there is no such environment)
  --dry-run            show the difference and stop
  --yes                do not ask
  --pull-request       push a branch and open a pull request: merging it is the rollback
  --offline            do not ask the registry
  --help

Versions, digests and manifests come from Git. The registry is asked whether it still has the
images; when it cannot be reached, that is said and the rollback goes on. Argo CD deploys nothing
until somebody approves the sync.

{EXIT_CODES}"""

HISTORY = f"""\
Usage: scripts/history.sh [--service NAME]... [--environment NAME] [--json]

Who released which version of which service, where and when, newest first: builds, promotions,
rollbacks and edits. Builds that Keel delivers are not in Git, so they are not listed.
The person is whom the commit names; another committer is shown too.

  --service NAME       only this service; may be repeated; also one that no longer exists
  --environment NAME   only this environment
  --limit N            the newest N (50 as a table, all as JSON); 0 for all
  --json               an array of objects: time, environment, service, version, previous, digest,
                       kind (build, promotion, rollback, edit), by, untested, subject, commit; and,
                       where there is something to tell, committer, hotfix, unverified,
                       acceptedFindings
  --help

{EXIT_CODES}"""

RENDER = f"""\
Usage: scripts/render.sh OUT                    every environment, from the files as they are here
       scripts/render.sh OUT COMMIT             the same, of a commit
       scripts/render.sh --difference OLD NEW   what differs between two such folders
       scripts/render.sh --report OLD NEW       the same in Markdown, short enough for a comment
       scripts/render.sh --check [BASE]         what HEAD breaks, compared with BASE (HEAD^1)
       scripts/render.sh --write ENVIRONMENT    write rendered/ENVIRONMENT here, for what runs now

Writes OUT/ENVIRONMENT/NAMESPACE/SERVICE.yaml: what Argo CD applies. For a safe environment those
are the manifests below rendered/, where it has them. Every service that does not render is
reported, and so is what kustomize leaves out or Argo CD would refuse; then the exit code is 4.

--check names services that do not render, patches whose target matches nothing, kinds that Argo
CD's project does not allow, objects that change what Kubernetes never changes under one name, and
versions and rendered manifests of safe environments that no release has changed.

--write is for an environment that was not rendered into Git before: commit what it writes.

{EXIT_CODES}"""

DELIVER = f"""\
Usage: scripts/deliver.sh --service NAME --version VERSION --digest DIGEST --source FOLDER

Writes the version and digest of a build into the fast environment and pushes that. FOLDER is the
clone of the service's repository at the commit that was built. A build never replaces a newer one:
newer is what has the other among its ancestors, or, when the clone and its origin cannot tell, the
later commit.

{EXIT_CODES}"""
