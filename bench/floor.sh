#!/bin/sh
# The floor of P1: what a person would put into a script, run after a push. Ends when the new content is served.
#
#   floor.sh container|compose
#
# WORK  clone of the repository      IMAGE  name with registry      NAME  of container or project
# PORT  on 127.0.0.1                 EXPECT text of the new page
set -eu
git -C "$WORK" pull --quiet
case $1 in
  container)
    docker build --quiet --tag "$IMAGE" "$WORK/app"
    docker push --quiet "$IMAGE"
    docker rm --force "$NAME" 2>/dev/null
    docker run --detach --init --name "$NAME" --label "io.fairlead.app=$NAME" --publish "127.0.0.1:$PORT:8080" "$IMAGE"
    ;;
  compose)
    set -- docker compose --project-name "$NAME" --file "$WORK/floor.yaml"
    "$@" build --quiet
    "$@" push --quiet
    "$@" up --detach --quiet-pull
    ;;
esac
until curl --silent "http://127.0.0.1:$PORT/" | grep -q "$EXPECT"; do sleep 0.005; done
