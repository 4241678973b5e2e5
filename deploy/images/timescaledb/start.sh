#!/bin/sh
# Makes the cluster and its database before the first start, then becomes what it is asked to be.
set -eu
if [ "${1:-}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    # Made beside its place and renamed at the end: what an interrupted start leaves never counts.
    fresh="$PGDATA.new"
    rm -rf "$fresh"
    initdb -D "$fresh" -U "$POSTGRES_USER" "--pwfile=$POSTGRES_PASSWORD_FILE" --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --data-checksums
    echo "create database \"$POSTGRES_DB\"" | postgres --single -D "$fresh" postgres
    mv "$fresh" "$PGDATA"
fi
exec "$@"
