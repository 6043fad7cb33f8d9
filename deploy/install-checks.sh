# shellcheck shell=sh disable=SC2086,SC2154
# The part of deploy/install.sh that looks whether it can do what it is told, and changes nothing. Read by it.

problem() { problems=$((problems + 1)); printf 'install: WRONG %s\n         %s\n' "$1" "$2" >&2; }

# Everything that could stop it halfway, before the first change.
check() {
  [ "$(id -u)" = 0 ] || problem 'this is not root' "Run it with sudo: sudo $0"
  # shellcheck source=/dev/null
  case " $(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-}" "${ID_LIKE:-}") " in
    *' debian '* | *' ubuntu '*) ;;
    *) problem 'this is neither Debian nor Ubuntu' 'Install by hand: docs/running.md, "Under systemd".' ;;
  esac
  if [ $start = yes ] && [ ! -d /run/systemd/system ]; then
    problem 'systemd does not run here' 'Start it on a machine with systemd, or prepare an image with --no-start.'
  fi
  [ -f "$package/dist/manager/manager.js" ] ||
    problem "$package is no built package" 'Make one with "npm pack" and unpack it, or run "npm run prepack" there.'
  if [ -z "$modules" ]; then
    if ! have node || ! have npm; then
      problem 'node and npm are missing' "Install Node $node_floor or newer with npm (https://nodejs.org/en/download)."
    elif [ "$(node -p 'process.versions.node.split(".")[0]')" -lt $node_floor ]; then
      problem "Node $(node --version) is too old" "Install Node $node_floor or newer; Fairlead brings its own beside it."
    fi
  elif [ ! -x "$modules/node/bin/node" ]; then
    problem "$modules has no packages of Fairlead" 'Make it with "npm ci --omit=dev" in the folder of the package.'
  fi
  for folder in /opt /var/lib; do
    free=$(df -Pm "$folder" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge $need_mib ] || problem "$folder has $free MiB left" "Free $need_mib MiB."
  done
  for part in $parts; do
    case $part in
      worker)
        getent group docker >/dev/null ||
          problem 'there is no group docker' 'Install a Docker engine first: apt-get install docker.io'
        have git || problem 'git is missing' 'apt-get install git'
        ;;
      guardian) have nft || problem 'nft is missing' 'apt-get install nftables' ;;
    esac
    case " $was " in *" $part "*) ;; *) [ $start = no ] || check_port $part ;; esac
  done
  [ -z "$old" ] || check_upgrade
}

check_port() {
  port=$(port_of $1)
  if have ss && ss -Hltn "sport = :$port" 2>/dev/null | grep -q .; then
    problem "port $port, which the $1 listens on, is taken" \
      "End what listens there (ss -ltnp), or set another address: $(listen_variable $1) in $settings/$1.env."
  fi
}

check_upgrade() {
  if is_older "$new" "$old"; then
    problem "$old is installed, and this is the older $new" \
      'An older program does not know a newer database. Restore the backup that was made before the upgrade: docs/backup.md.'
  fi
  data=/var/lib/fairlead-manager/manager
  case " $was " in *' manager '*) ;; *) return 0 ;; esac
  # A manager on PostgreSQL looks at its start, and refuses a database that is newer than itself.
  [ -e $data/fairlead.db ] || return 0
  node=$target/node_modules/node/bin/node
  if ! said=$(FAIRLEAD_DATA=${data%/manager} "$node" "$package/dist/manager/manager.js" check 2>&1); then
    problem "the database of the manager does not fit: $(printf '%s' "$said" | tail -n 1)" \
      'Install the version that it belongs to.'
  fi
}
