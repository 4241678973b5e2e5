#!/bin/sh
# Installs Debian packages. A build may be given an archive of its own and the CA of it (secrets apt and ca); neither
# leaves a trace in the image.
set -eu
set -- install --yes --no-install-recommends "$@"
options="-qq -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache="
if [ -s /run/secrets/apt ]; then
    options="$options -o Dir::Etc::sourcelist=/run/secrets/apt -o Dir::Etc::sourceparts=-"
fi
if [ -s /run/secrets/ca ]; then
    options="$options -o Acquire::https::CaInfo=/run/secrets/ca"
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # several options
apt-get $options update
# shellcheck disable=SC2086
apt-get $options "$@"
apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/ldconfig/*
