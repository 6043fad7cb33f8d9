#!/bin/sh
# Writes a dump each night at two, and removes those that are older than KEEP_DAYS.
set -eu
PGPASSWORD=$(cat /run/secrets/database_password)
export PGPASSWORD
while true; do
  now=$(date +%s)
  sleep $(((86400 + 7200 - now % 86400) % 86400 + 1))
  file=/dumps/$PGDATABASE-$(date +%F).dump
  pg_dump --format=custom --file="$file.part"
  mv "$file.part" "$file"
  find /dumps -name '*.dump' -mtime "+$KEEP_DAYS" -delete
done
