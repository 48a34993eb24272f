#!/bin/sh
# Starts PostgreSQL in a container; makes the database cluster first where there is none yet.
set -eu

: "${PGDATA:=/var/lib/postgresql/data/pgdata}"
: "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
export PGDATA

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo 'POSTGRES_PASSWORD is not set: the superuser needs a password' >&2
    exit 1
  fi
  # Renamed into place at the end: an interrupted initdb is not taken for a database cluster.
  fresh="$PGDATA.new"
  rm -rf "$fresh"
  umask 077
  printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
  initdb --pgdata="$fresh" --username="$POSTGRES_USER" --pwfile=/tmp/password --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$fresh/pg_hba.conf"
  if [ "$POSTGRES_DB" != postgres ]; then
    printf 'create database "%s";\n' "$POSTGRES_DB" | postgres --single -j -D "$fresh" postgres
  fi
  if [ -d "$PGDATA" ]; then rmdir "$PGDATA"; fi
  mv "$fresh" "$PGDATA"
fi

exec postgres -c listen_addresses='*' -c max_connections=200 -c unix_socket_directories=/tmp "$@"
