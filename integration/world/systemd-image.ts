import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What the image has no copy of: its containers see those of this machine. */
const NEEDED = ['/usr/lib/systemd/systemd', '/usr/lib/systemd/systemd-networkd', '/usr/bin/npm']

/** Why no image can be made of this machine; undefined: one can. */
export async function whyNoSystemd(): Promise<string | undefined> {
  for (const file of [...NEEDED, ...DOCKER_UNITS]) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (!isThere) {
      return `there is no ${file}`
    }
  }
  return undefined
}

const DOCKER_UNITS = ['docker.service', 'docker.socket', 'containerd.service'].map(
  name => `/usr/lib/systemd/system/${name}`,
)

/**
 * An image of a machine whose first process is systemd, with Docker as a service. It has no /usr: the one of this machine
 * is mounted there, so making it takes a second. Gives its file.
 */
export async function makeSystemdImage(folder: string): Promise<string> {
  const file = join(folder, 'systemd.tar.gz')
  await promisify(execFile)('sh', ['-eu', '-c', SCRIPT, 'sh', join(folder, 'systemd'), file])
  return file
}

/** $1 a folder to work in, $2 the file. */
const SCRIPT = `
  umask 022
  root=$1/rootfs
  mkdir -p "$root" "$1/templates"
  cd "$root"
  mkdir -p usr/local proc sys dev run tmp root home opt srv mnt etc/systemd/network \\
    var/lib var/log var/cache var/tmp var/spool var/local/upper var/local/work
  for name in bin sbin lib lib64; do ln -s usr/$name $name; done
  ln -s /run var/run
  chmod 1777 tmp var/tmp
  chmod 700 root
  for name in alternatives dbus-1 default debian_version group host.conf ld.so.cache ld.so.conf ld.so.conf.d login.defs \\
    nsswitch.conf os-release pam.conf pam.d passwd profile protocols security services shells ssl; do
    [ ! -e /etc/$name ] || cp -a /etc/$name etc/
  done
  rm -rf etc/ssl/private
  sed 's/:.*/:*:19000:0:99999:7:::/' etc/passwd >etc/shadow
  sed 's/:.*/:*::/' etc/group >etc/gshadow
  chmod 600 etc/shadow etc/gshadow
  : >etc/machine-id
  printf '127.0.0.1 localhost\\n' >etc/hosts
  printf '[Match]\\nName=eth0\\n[Network]\\nDHCP=ipv4\\nIPv6AcceptRA=no\\n' >etc/systemd/network/10-eth0.network
  units=etc/systemd/system
  mkdir -p $units/multi-user.target.wants $units/local-fs.target.wants $units/sockets.target.wants \\
    $units/network-online.target.wants $units/systemd-networkd.service.d $units/docker.service.d
  # Without udev it waits for what has to be told of interfaces, unless it cannot write there.
  printf '[Service]\\nReadOnlyPaths=/sys\\n' >$units/systemd-networkd.service.d/no-udev.conf
  ln -s /lib/systemd/system/systemd-networkd.service $units/multi-user.target.wants/
  ln -s /lib/systemd/system/systemd-networkd-wait-online.service $units/network-online.target.wants/
  # What is installed goes there.
  printf '[Unit]\\nDefaultDependencies=no\\nBefore=local-fs.target\\n[Mount]\\nWhat=overlay\\nWhere=/usr/local\\nType=overlay\\nOptions=lowerdir=/usr/local,upperdir=/var/local/upper,workdir=/var/local/work\\n' \\
    >$units/usr-local.mount
  ln -s /$units/usr-local.mount $units/local-fs.target.wants/
  printf '[Service]\\nExecStart=\\nExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock --storage-driver=vfs\\n' \\
    >$units/docker.service.d/storage.conf
  for name in docker containerd; do ln -s /lib/systemd/system/$name.service $units/multi-user.target.wants/; done
  ln -s /lib/systemd/system/docker.socket $units/sockets.target.wants/
  for name in systemd-timesyncd systemd-resolved getty@tty1 console-getty systemd-logind; do ln -s /dev/null $units/$name.service; done
  echo '{{ container.name }}' >"$1/templates/hostname.tpl"
  printf 'architecture: %s\\ncreation_date: %s\\nproperties: { os: systemd, description: systemd }\\ntemplates:\\n  /etc/hostname: { when: [start], template: hostname.tpl }\\n' \\
    "$(uname -m)" "$(date +%s)" >"$1/metadata.yaml"
  tar -C "$1" --numeric-owner -czf "$2" metadata.yaml templates rootfs
`
