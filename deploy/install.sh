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

# shellcheck source=deploy/install-checks.sh
. "$package/deploy/install-checks.sh"
# shellcheck source=deploy/install-services.sh
. "$package/deploy/install-services.sh"

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
  [ $dry = yes ] || finish_switch
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

plan() {
  say "this is Fairlead $new; it will"
  if [ "$old" = "$new" ]; then say "  replace $old in $target by the same version; $target.previous stays as it is"
  elif [ -n "$old" ]; then say "  replace $old in $target, and keep that as $target.previous"; else say "  put the program into $target"; fi
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
    case " $was " in
      *' manager '*)
        say "  back up the manager into $backups (encrypted; the key is $settings/backup.key)"
        ;;
    esac
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
    # What is inside of it is made as its user, who may have put links there.
    install -d -m 0700 -o fairlead-$part -g fairlead-$part /var/lib/fairlead-$part
    setpriv --reuid=fairlead-$part --regid=fairlead-$part --clear-groups mkdir -p -m 0700 /var/lib/fairlead-$part/$part
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
  # One that has never started has nothing.
  [ -e $data/manager/secret.key ] || return 0
  # With the settings of the manager: they name its database.
  fairlead=$target.new/deploy/fairlead
  if [ ! -s $settings/backup.recipients ]; then
    rm -f $settings/backup.key
    "$fairlead" --data $data backup key $settings/backup.key >$settings/backup.recipients.new 2>/dev/null
    mv $settings/backup.recipients.new $settings/backup.recipients
    say "made $settings/backup.key: keep a copy of it on another machine, backups open with nothing else"
  fi
  install -d -m 0700 $backups
  file=$backups/manager-$old-$(date -u +%Y%m%dT%H%M%SZ).age
  # What root has exported would name another manager.
  (unset FAIRLEAD_DATA; "$fairlead" backup create "$file" --recipients-file $settings/backup.recipients >/dev/null) ||
    fail "the manager could not be backed up (see above); nothing was upgraded"
  say "backed up the manager: $file"
}

# Nothing goes before the other has its place: after a kill at any moment finish_switch goes on.
switch_program() {
  [ ! -e $target ] || mv $target $target.gone
  mv $target.new $target
  finish_switch
  install -d -m 0755 /usr/local/bin
  ln -sf $target/deploy/fairlead /usr/local/bin/fairlead
}

# What is in $target.gone was the program until a switch that may have been killed.
finish_switch() {
  [ -e $target.gone ] || return 0
  if [ ! -e $target ]; then
    mv $target.gone $target
  # The version before stays what it was when this one is installed once more: after a start that failed, say.
  elif [ "$(version_in $target.gone)" = "$(version_in $target)" ]; then
    rm -rf $target.gone
  else
    rm -rf $target.previous
    mv $target.gone $target.previous
  fi
}

done_with() {
  say "Fairlead $new is installed:$parts"
  case " $parts " in
    *' manager '*)
      [ -n "$old" ] || say 'next: sudo fairlead people first prints where the first account is made; the first token is in /var/lib/fairlead-manager/manager/admin-token'
      ;;
  esac
  for part in $parts; do
    case $part in
      worker | guardian)
        serves $part || {
          more=; [ $part = worker ] || more=' --guardian'
          say "next: fairlead hosts add$more, where the manager is, prints what enrols this $part; run that here with sudo"
          case $(address_of $part) in
            127.* | localhost:*) say "      a manager on another machine cannot reach $(address_of $part): set $(listen_variable $part) in $settings/$part.env first" ;;
          esac
        }
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
    [ ! -e $settings/backup.key ] || say "  and with it $settings/backup.key: without a copy of it, nothing opens the backups in $backups"
  else
    say "  keep $settings, /var/lib/fairlead-*, $backups and the users"
  fi
  say '  leave apps as they are: containers go on'
  case " $was " in
    *' guardian '*) say '  leave the firewall as it is until this machine restarts; "nft delete table inet fairlead" opens it at once' ;;
  esac
  agree
  for part in $was; do
    if [ $start = yes ]; then systemctl --quiet disable --now fairlead-$part.service || true; fi
    rm -f $units/fairlead-$part.service
  done
  [ $start = no ] || systemctl daemon-reload
  rm -rf $target $target.new $target.gone $target.previous
  case $(readlink /usr/local/bin/fairlead || true) in $target/*) rm -f /usr/local/bin/fairlead ;; esac
  if [ $purge = yes ]; then
    rm -rf $settings
    for part in manager worker guardian; do
      rm -rf /var/lib/fairlead-$part
      if getent passwd fairlead-$part >/dev/null; then userdel fairlead-$part; fi
    done
    [ ! -e $backups ] || say "backups are kept in $backups; they open with a copy of backup.key only"
  fi
  say 'done'
}

main "$@"
