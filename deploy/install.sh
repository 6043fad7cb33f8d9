#!/bin/sh
# Installs, upgrades and removes Fairlead as systemd services on Debian and Ubuntu. It runs from an unpacked package
# (npm pack), looks before it does anything, says what it will do, and asks.
#
#   deploy/install.sh --manager --worker     install these parts (--guardian too), or upgrade those that are there
#   deploy/install.sh uninstall              remove all parts; what they keep stays
#   deploy/install.sh uninstall --purge      the same, with data, settings and users
#
#   --dry-run        say what would be done, and do nothing
#   --yes            do not ask
#   --modules DIR    take the npm packages from this folder (as "npm ci --omit=dev" makes it) instead of the registry
#   --no-start       neither start nor stop services: for an image, or where systemd does not run
#
# Everything is in /opt/fairlead (program), /etc/fairlead (settings), /var/lib/fairlead-<part> (data), and
# /var/backups/fairlead (a backup of the manager before each upgrade).
# Names of parts and folders here are words without spaces.
# shellcheck disable=SC2086
set -eu
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH LC_ALL=C

package=$(cd "$(dirname "$0")/.." && pwd -P)
target=/opt/fairlead
settings=/etc/fairlead
units=/etc/systemd/system
backups=/var/backups/fairlead
node_floor=22
need_mib=1024

main() {
  action=install parts='' yes=no dry=no purge=no modules='' start=yes
  while [ $# -gt 0 ]; do
    case $1 in
      install | uninstall) action=$1 ;;
      --manager | --worker | --guardian) parts="$parts ${1#--}" ;;
      --dry-run) dry=yes ;;
      --yes) yes=yes ;;
      --purge) purge=yes ;;
      --no-start) start=no ;;
      --modules) shift; modules=$(cd "${1:?--modules needs a folder}" && pwd -P) ;;
      -h | --help) sed -n '2,$ { /^#/!q; s/^# \{0,1\}//p; }' "$0"; exit 0 ;;
      *) fail "unknown word $1; see: $0 --help" ;;
    esac
    shift
  done
  case $action in
    install) install_or_upgrade ;;
    uninstall) uninstall ;;
  esac
}

say() { printf 'install: %s\n' "$*"; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
installed() { for part in manager worker guardian; do [ ! -e "$units/fairlead-$part.service" ] || printf ' %s' $part; done; }
version_in() { sed -n 's/^  "version": "\([^"]*\)".*/\1/p' "$1/package.json"; }
is_older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# ---- install and upgrade --------------------------------------------------------------------------------------------

install_or_upgrade() {
  was=$(installed)
  # An upgrade is of all that is there: parts of one machine are of one version.
  for part in $was; do case " $parts " in *" $part "*) ;; *) parts="$parts $part" ;; esac; done
  [ -n "$parts" ] || fail 'name at least one of --manager, --worker and --guardian'
  new=$(version_in "$package")
  old=
  [ ! -e $target/package.json ] || old=$(version_in $target)
  problems=0
  check
  [ $problems = 0 ] || fail "$problems of these must be mended first; nothing was changed"
  plan
  agree
  add_users
  add_settings
  bring_program
  case " $was " in *' manager '*) [ -z "$old" ] || back_up ;; esac
  [ -z "$was" ] || stop_services $was
  switch_program
  for part in $parts; do install -m 0644 "$target/deploy/systemd/fairlead-$part.service" $units/; done
  start_services $parts
  done_with
}

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
    if [ $start = yes ] && [ -z "$was" ]; then check_port $part; fi
  done
  [ -z "$old" ] || check_upgrade
}

check_port() {
  case $1 in manager) port=7400 ;; worker) port=7443 ;; guardian) port=7444 ;; esac
  if have ss && ss -Hltn "sport = :$port" 2>/dev/null | grep -q .; then
    problem "port $port, which the $1 listens on, is taken" \
      "End what listens there (ss -ltnp), or set another address in $settings/$1.env."
  fi
}

check_upgrade() {
  if is_older "$new" "$old"; then
    problem "$old is installed, and this is the older $new" \
      'An older program does not know a newer database. Restore the backup that was made before the upgrade: docs/backup.md.'
  fi
  data=/var/lib/fairlead-manager/manager
  case " $was " in *' manager '*) ;; *) return 0 ;; esac
  [ -e $data/fairlead.db ] || return 0
  node=$target/node_modules/node/bin/node
  if ! said=$(FAIRLEAD_DATA=${data%/manager} "$node" "$package/dist/manager/manager.js" check 2>&1); then
    problem "the database of the manager does not fit: $(printf '%s' "$said" | tail -n 1)" \
      'Install the version that it belongs to.'
  fi
}

plan() {
  say "this is Fairlead $new; it will"
  if [ -n "$old" ]; then say "  replace $old in $target, and keep that as $target.previous"; else say "  put the program into $target"; fi
  if [ -n "$modules" ]; then say "  take its npm packages from $modules"; else say '  bring its npm packages with "npm ci --omit=dev", by the lock file of the package'; fi
  for part in $parts; do
    getent passwd fairlead-$part >/dev/null || say "  add the user fairlead-$part, who cannot log in"
    case " $was " in *" $part "*) continue ;; esac
    say "  add the service fairlead-$part, with settings in $settings/$part.env and data in /var/lib/fairlead-$part"
  done
  case " $parts " in
    *' worker '*) [ -e $settings/policy.yaml ] || say "  write $settings/policy.yaml: what the worker lets repositories ask for" ;;
  esac
  if [ -n "$was" ] && [ -n "$old" ]; then
    case " $was " in *' manager '*) say "  back up the manager into $backups (encrypted; the key is $settings/backup.key)" ;; esac
    say "  stop and start:$was; deployments that run then go on after it"
  fi
  [ $start = yes ] || say '  start nothing'
}

agree() {
  [ $dry = no ] || { say 'nothing was done (--dry-run)'; exit 0; }
  [ $yes = no ] || return 0
  [ -t 0 ] || fail 'nobody can be asked here; say --yes when that is what you want'
  printf 'Go on? [y/N] '
  read -r answer
  case $answer in y | Y | yes) ;; *) fail 'nothing was done' ;; esac
}

add_users() {
  for part in $parts; do
    getent passwd fairlead-$part >/dev/null ||
      useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin fairlead-$part
  done
}

# What a person wrote is never written over.
add_settings() {
  install -d -m 0755 $settings
  for part in $parts; do
    if [ ! -e $settings/$part.env ]; then
      printf '# Settings of the %s: docs/running.md has all. NAME=value, one a line.\n' $part >$settings/$part.env.new
      [ $part != manager ] || first_settings_of_manager >>$settings/$part.env.new
      chown root:fairlead-$part $settings/$part.env.new
      chmod 0640 $settings/$part.env.new
      mv $settings/$part.env.new $settings/$part.env
    fi
    # As the units would make them; a part that is started in another way finds them too.
    install -d -m 0700 -o fairlead-$part -g fairlead-$part /var/lib/fairlead-$part /var/lib/fairlead-$part/$part
  done
  case " $parts " in *' worker '*) ;; *) return 0 ;; esac
  [ -e $settings/policy.yaml ] || {
    printf '# What this host lets managers and repositories do: docs/policy.md. Only root may change it.\nmode: enforce\n' \
      >$settings/policy.yaml.new
    mv $settings/policy.yaml.new $settings/policy.yaml
  }
}

first_settings_of_manager() {
  printf 'FAIRLEAD_ADMIN_TOKEN_FILE=/var/lib/fairlead-manager/manager/admin-token\n'
}

# Beside what runs: until it is whole, nothing of the old one is touched.
bring_program() {
  rm -rf $target.new
  install -d -m 0755 $target.new
  for each in bin dist deploy docs examples package.json LICENSE README.md; do
    [ ! -e "$package/$each" ] || cp -R "$package/$each" $target.new/
  done
  if [ -n "$modules" ]; then
    cp -R "$modules" $target.new/node_modules
  else
    cp "$package/dist/package-lock.json" $target.new/
    (cd $target.new && npm ci --omit=dev --no-audit --no-fund --loglevel=error) ||
      fail "npm could not bring the packages (see above); $target is as it was"
  fi
  chown -R root:root $target.new
  chmod -R go-w $target.new
  $target.new/bin/fairlead --version >/dev/null || fail "the new program does not start; $target is as it was"
}

# With the program that is to come, which knows how to read older data.
back_up() {
  data=/var/lib/fairlead-manager
  [ -e $data/manager/fairlead.db ] || return 0
  fairlead=$target.new/bin/fairlead
  if [ ! -s $settings/backup.recipients ]; then
    rm -f $settings/backup.key
    "$fairlead" --data $data backup key $settings/backup.key >$settings/backup.recipients.new 2>/dev/null
    mv $settings/backup.recipients.new $settings/backup.recipients
    say "made $settings/backup.key: keep a copy of it on another machine, backups open with nothing else"
  fi
  install -d -m 0700 $backups
  file=$backups/manager-$old-$(date -u +%Y%m%dT%H%M%SZ).age
  "$fairlead" --data $data backup create "$file" --recipients-file $settings/backup.recipients >/dev/null ||
    fail "the manager could not be backed up (see above); nothing was upgraded"
  say "backed up the manager: $file"
}

stop_services() {
  [ $start = yes ] || return 0
  for part in "$@"; do systemctl stop fairlead-$part.service; done
}

switch_program() {
  if [ -e $target ]; then
    rm -rf $target.previous
    mv $target $target.previous
  fi
  mv $target.new $target
  ln -sf $target/bin/fairlead /usr/local/bin/fairlead
}

start_services() {
  [ $start = yes ] || return 0
  systemctl daemon-reload
  for part in "$@"; do
    # A worker and a guardian need a manager that they trust before they can serve.
    if [ "$part" != manager ] && [ ! -e /var/lib/fairlead-$part/$part/peers.json ]; then
      systemctl --quiet enable fairlead-$part.service
      continue
    fi
    systemctl --quiet enable fairlead-$part.service
    systemctl restart fairlead-$part.service
  done
  for part in "$@"; do
    if systemctl --quiet is-failed fairlead-$part.service; then
      fail "fairlead-$part does not stay up: journalctl -u fairlead-$part. To go back: docs/backup.md, and mv $target.previous $target"
    fi
  done
}

done_with() {
  say "Fairlead $new is installed:$parts"
  case " $parts " in
    *' manager '*)
      [ -n "$old" ] || say 'the first token: /var/lib/fairlead-manager/manager/admin-token (as soon as the manager has started)'
      ;;
  esac
  for part in $parts; do
    case $part in
      worker | guardian)
        [ -e /var/lib/fairlead-$part/$part/peers.json ] ||
          say "next: fairlead hosts add (at the manager) prints what enrols this $part; docs/hosts.md"
        ;;
    esac
  done
}

# ---- uninstall ------------------------------------------------------------------------------------------------------

uninstall() {
  [ "$(id -u)" = 0 ] || fail 'run it as root'
  was=$(installed)
  [ -n "$was$([ ! -e $target ] || printf x)" ] || [ $purge = yes ] || fail 'Fairlead is not installed here'
  say 'it will'
  [ -z "$was" ] || say "  stop and remove the services:$was"
  say "  remove $target, $target.previous and /usr/local/bin/fairlead"
  if [ $purge = yes ]; then
    say "  remove $settings, /var/lib/fairlead-* and the users: everything that Fairlead knows is gone then"
  else
    say "  keep $settings, /var/lib/fairlead-*, $backups and the users"
  fi
  say '  leave apps as they are: containers go on'
  agree
  for part in $was; do
    if [ $start = yes ]; then systemctl --quiet disable --now fairlead-$part.service || true; fi
    rm -f $units/fairlead-$part.service
  done
  [ $start = no ] || systemctl daemon-reload
  rm -rf $target $target.new $target.previous
  [ "$(readlink /usr/local/bin/fairlead || true)" != $target/bin/fairlead ] || rm -f /usr/local/bin/fairlead
  if [ $purge = yes ]; then
    rm -rf $settings
    for part in manager worker guardian; do
      rm -rf /var/lib/fairlead-$part
      if getent passwd fairlead-$part >/dev/null; then userdel fairlead-$part; fi
    done
    say "backups are kept in $backups"
  fi
  say 'done'
}

main "$@"
