#!/bin/sh
# Backups of the whole database, roles included, into the folder /backups: one a day, of which the newest seven stay; or
# one at once (`back-up.sh now`), whose name is printed. PGHOST and the like say where the database is.
set -eu
umask 077
cd /backups

back_up() {
    name="$(date -u +%Y%m%dT%H%M%SZ).tar.gz"
    # In one step, so that no half backup is ever taken for a whole one.
    if pg_basebackup --no-password --pgdata=- --format=tar --gzip --compress=1 --wal-method=fetch --checkpoint=fast > "$name.new"; then
        mv "$name.new" "$name"
        echo "$name"
    else
        rm -f "$name.new"
        return 1
    fi
}

if [ "${1:-}" = now ]; then
    back_up
    exit
fi
trap 'exit 0' TERM INT
while :; do
    # Younger than a day, less what a round takes.
    if [ -z "$(find . -name '*.tar.gz' -mmin -1430)" ]; then
        back_up || echo "no backup; the next try follows in five minutes" >&2
        find . -name '*.tar.gz' | sort -r | tail -n +8 | xargs -r rm --
    fi
    sleep 300 &
    wait $!
done
