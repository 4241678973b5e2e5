#!/bin/sh
# Starts the one node of Kafka, and before its first start has it write down who may sign in: /srv/users has a line for
# each. In any image that has Java and, in /opt/kafka/libs, Kafka.
set -eu
java="java -Xmx${KAFKA_HEAP:-512m} -XX:+UseSerialGC -XX:-UsePerfData -XX:TieredStopAtLevel=1"
java="$java -Dlog4j2.configurationFile=/srv/log4j2.properties -cp /opt/kafka/libs/*"
if [ ! -e /srv/data/meta.properties ]; then
    set -f --
    while read -r user; do
        set -- "$@" "--add-scram=$user"
    done < /srv/users
    # It prints what it keeps of each secret.
    # shellcheck disable=SC2086 # several arguments
    $java kafka.tools.StorageTool format "--cluster-id=$(cat /srv/cluster)" -c /srv/server.properties "$@" > /dev/null
fi
set -f
# shellcheck disable=SC2086
exec $java kafka.Kafka /srv/server.properties
