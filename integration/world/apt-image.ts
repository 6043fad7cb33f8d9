import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PACKAGE_ROOT } from '#lib/package-root.ts'

/** Packages that the image can install: nothing else, and from nowhere else. */
export const TOOL = 'a-tool'

/**
 * An image with the apt and dpkg of this machine, a mirror of its own in a folder, and no SSH server: that comes from the
 * mirror as the package openssh-server, which has the server of the busybox image. Gives its file.
 */
export async function makeAptImage(folder: string): Promise<string> {
  const file = join(folder, 'apt.tar.gz')
  const args = ['-eu', '-c', SCRIPT, 'sh', folder, file, join(PACKAGE_ROOT, 'scripts/system-image'), TOOL]
  await promisify(execFile)('sh', args)
  return file
}

/** $1 the folder, $2 the file, $3 the script that makes the busybox image, $4 a package. */
const SCRIPT = `
  work=$1/apt root=$1/apt/rootfs
  mkdir -p "$work"
  "$3" busybox "$1/busybox.tar.gz"
  tar -C "$work" -xzf "$1/busybox.tar.gz"
  bring() {
    for program in "$@"; do
      mkdir -p "$root$(dirname "$program")"
      rm -f "$root$program"
      cp -L "$program" "$root$program"
      for library in $(ldd "$program" | grep -o '/[^ )]*'); do
        [ -e "$root$library" ] || { mkdir -p "$root$(dirname "$library")"; cp -L "$library" "$root$library"; }
      done
    done
  }
  bring /usr/bin/apt-get /usr/bin/dpkg /usr/bin/dpkg-deb /usr/bin/dpkg-query /usr/bin/dpkg-split /bin/tar /sbin/ldconfig
  bring /usr/lib/apt/methods/file /usr/lib/apt/methods/copy /usr/lib/apt/methods/store
  ( cd "$root" && mkdir -p etc/apt/apt.conf.d etc/apt/preferences.d var/lib/dpkg/info var/lib/dpkg/updates \\
    var/lib/apt/lists/partial var/cache/apt/archives/partial var/log/apt usr/share srv/mirror )
  cp -r /usr/share/dpkg "$root/usr/share/dpkg"
  : >"$root/var/lib/dpkg/status"
  echo 'deb [trusted=yes] file:/srv/mirror ./' >"$root/etc/apt/sources.list"
  package() {
    mkdir -p "$work/$1/DEBIAN"
    printf 'Package: %s\\nVersion: 1\\nArchitecture: all\\nMaintainer: a test <test@example.org>\\nDescription: of a test\\n' \\
      "$1" >"$work/$1/DEBIAN/control"
    dpkg-deb --root-owner-group -Zgzip --build "$work/$1" "$root/srv/mirror/$1.deb" >/dev/null
    rm -r "$work/$1"
    { dpkg-deb -f "$root/srv/mirror/$1.deb"; printf 'Filename: ./%s.deb\\nSize: %s\\nSHA256: %s\\n\\n' "$1" \\
      "$(stat -c %s "$root/srv/mirror/$1.deb")" "$(sha256sum "$root/srv/mirror/$1.deb" | cut -d' ' -f1)"
    } >>"$root/srv/mirror/Packages"
  }
  mkdir -p "$work/openssh-server/usr/sbin" "$work/$4/usr/bin"
  mv "$root/usr/sbin/dropbear" "$work/openssh-server/usr/sbin/sshd"
  sed -i s,/usr/sbin/dropbear,/usr/sbin/sshd, "$root/sbin/init"
  printf '#!/bin/sh\\necho it works\\n' >"$work/$4/usr/bin/$4"
  chmod 755 "$work/$4/usr/bin/$4"
  package openssh-server
  package "$4"
  tar -C "$work" --numeric-owner --owner=0 --group=0 -czf "$2" metadata.yaml templates rootfs
`
