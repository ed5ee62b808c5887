#!/bin/sh
# Managed: generated, so change services.yaml or the stack files instead.
# Who put which version of what where, and when: from Git alone; see --help.
file=$0
while [ -h "$file" ]; do
  link=$(readlink "$file")
  case $link in /*) file=$link ;; *) file=$(dirname -- "$file")/$link ;; esac
done
scripts=$(CDPATH='' cd -P -- "$(dirname -- "$file")" && pwd -P) || exit 3
command -v python3 >/dev/null 2>&1 || {
  echo "error: python3 is not installed; Python 3.9 or newer is needed" >&2
  exit 3
}
# Where python3 is a shim, it puts folders of its own before those in which programs are looked for.
RELEASE_PATH=$PATH
export RELEASE_PATH
exec python3 -I -B "$scripts/release" history "$@"
