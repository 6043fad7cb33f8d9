# shellcheck shell=sh disable=SC2086,SC2154
# The part of deploy/install.sh that starts and stops services, and knows where they listen. Read by it.

listen_variable() { case $1 in manager) printf FAIRLEAD_LISTEN ;; *) printf 'FAIRLEAD_%s_LISTEN' "$(printf %s $1 | tr a-z A-Z)" ;; esac; }

# Where it listens: as its settings say, else as it does by itself.
address_of() {
  case $1 in manager) address=127.0.0.1:7400 ;; worker) address=127.0.0.1:7443 ;; guardian) address=127.0.0.1:7444 ;; esac
  said=$(sed -n "s/^$(listen_variable $1)=[\"']\{0,1\}\([^\"']*\).*/\1/p" $settings/$1.env 2>/dev/null | tail -n 1)
  printf %s "${said:-$address}"
}

port_of() { address_of $1 | sed 's/.*://'; }

stop_services() {
  [ $start = yes ] || return 0
  for part in "$@"; do systemctl stop fairlead-$part.service; done
}

start_services() {
  [ $start = yes ] || return 0
  systemctl daemon-reload
  for part in "$@"; do systemctl --quiet enable fairlead-$part.service; done
  for part in "$@"; do
    serves $part || continue
    systemctl restart fairlead-$part.service
    wait_for $part
  done
}

# A worker and a guardian need a manager that they trust before they can serve.
serves() { [ $1 = manager ] || [ -e /var/lib/fairlead-$1/$1/peers.json ]; }

# Until somebody listens there: an upgrade may have to change a large database first.
wait_for() {
  address=$(address_of $1)
  tries=0
  until "$target/node_modules/node/bin/node" -e "$knock" "$address" && systemctl --quiet is-active fairlead-$1.service; do
    tries=$((tries + 1))
    if [ $tries -ge 150 ]; then
      journalctl --no-pager --lines=5 --output=cat --unit=fairlead-$1.service >&2 || true
      fail "fairlead-$1 does not come up at $address (see above, and journalctl -u fairlead-$1). To go back: docs/running.md, \"Back to the version before\""
    fi
    sleep 2
  done
}
# shellcheck disable=SC2016
knock='
  const [, host, port] = /^(.*):(\d+)$/.exec(process.argv[1])
  const to = { "0.0.0.0": "127.0.0.1", "[::]": "::1" }[host] ?? host.replace(/^\[|\]$/g, "")
  const socket = require("node:net").connect({ host: to, port, timeout: 5000 }, () => process.exit(0))
  socket.on("error", () => process.exit(1)).on("timeout", () => process.exit(1))
'
