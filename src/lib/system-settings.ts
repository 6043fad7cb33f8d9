import type { Setting } from './setting.ts'

/** Of system containers; settings.ts has the rest. */
export const SYSTEM_SETTINGS = [
  {
    name: 'FAIRLEAD_INCUS_SOCKET',
    of: ['worker'],
    means: 'socket of the Incus daemon that keeps system containers ([systems.md](systems.md))',
    default: 'none: no system containers on the host; Incus itself listens at `/var/lib/incus/unix.socket`',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_INCUS_POOL',
    of: ['worker'],
    means: 'storage pool that their disks are in',
    default: '`default`',
  },
  {
    name: 'FAIRLEAD_INCUS_NETWORK',
    of: ['worker'],
    means: 'bridge network that they are in',
    default: '`incusbr0`',
  },
  {
    name: 'FAIRLEAD_SYSTEM_ADDRESS',
    of: ['worker'],
    means: 'address of the host at which their ports are listened at',
    default: '`0.0.0.0`: all IPv4 addresses',
  },
  {
    name: 'FAIRLEAD_SYSTEM_BACKUPS',
    of: ['worker'],
    means: 'folder for their backups, best on another disk',
    default: '`system-backups` in the folder of the worker',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_SYSTEM_IMAGE_SERVER',
    of: ['worker'],
    means:
      'where images called `images:…` come from: a server that speaks simplestreams, with a certificate that Incus on that host trusts',
    default: '`https://images.linuxcontainers.org`, the public one of the project that makes Incus',
  },
  {
    name: 'FAIRLEAD_SYSTEM_PORTS',
    of: ['manager'],
    means: 'ports of hosts that are given to system containers, such as `22000-22999`',
    default: '`22000-22999`',
  },
] as const satisfies readonly Setting[]
