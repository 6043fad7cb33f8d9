import { defineError } from '#lib/errors.ts'

export const NO_SYSTEMS_HERE = defineError({
  code: 'NO_SYSTEMS_HERE',
  status: 422,
  retry: 'never',
  message: (host: string) => `The worker on "${host}" knows of no Incus daemon: no system containers there.`,
  hint: () =>
    'Install Incus on that host, set FAIRLEAD_INCUS_SOCKET in the environment of its worker and start it again (docs/systems.md).',
})

export const SYSTEM_NAME_TAKEN = defineError({
  code: 'SYSTEM_NAME_TAKEN',
  status: 409,
  retry: 'never',
  message: (name: string, host: string) =>
    `On "${host}" there is a container "${name}" already, which is not of this system.`,
  hint: (name: string, host: string) =>
    `Choose another name, or delete that container on "${host}" if nobody needs it: incus delete ${name}`,
})

export const SYSTEM_IMAGE_MISSING = defineError({
  code: 'SYSTEM_IMAGE_MISSING',
  status: 422,
  retry: 'never',
  message: (image: string, host: string, known: readonly string[]) =>
    `"${host}" has no image "${image}"; it has ${known.length === 0 ? 'none' : known.join(', ')}.`,
  hint: () =>
    'Build or import it on that host (docs/systems.md, "Images"), or name one that it has. An image of a server is named "images:debian/12".',
})

export const SYSTEM_IMAGE_NOT_SERVED = defineError({
  code: 'SYSTEM_IMAGE_NOT_SERVED',
  status: 422,
  retry: 'never',
  message: (alias: string, server: string) =>
    `The image server ${server} has no image "${alias}" for this host.`,
  hint: (_, server: string) =>
    `See under ${server} what there is for the architecture of the host, or name an image of the host. Another server is set with FAIRLEAD_SYSTEM_IMAGE_SERVER in the environment of the worker.`,
})

export const SYSTEM_IMAGE_SERVER_AWAY = defineError({
  code: 'SYSTEM_IMAGE_SERVER_AWAY',
  status: 502,
  retry: 'later',
  message: (alias: string, server: string, why: string) =>
    `The image "${alias}" could not be fetched from the image server ${server}: ${why}`,
  hint: (_, server: string) =>
    `See that the host reaches ${server} and that Incus there trusts its certificate; then ask for the same again, or take an image of the host. Another server is set with FAIRLEAD_SYSTEM_IMAGE_SERVER in the environment of the worker.`,
})

export const SYSTEM_IMAGE_DAMAGED = defineError({
  code: 'SYSTEM_IMAGE_DAMAGED',
  status: 502,
  retry: 'later',
  message: (alias: string, server: string, why: string) =>
    `What the image server ${server} gave for the image "${alias}" is not what it says it is: ${why}`,
  hint: (_, server: string) =>
    `Nothing was made of it. Ask for the same again; if it stays so, tell who keeps ${server}, or take an image of the host.`,
})

export const SYSTEM_POOL_MISSING = defineError({
  code: 'SYSTEM_POOL_MISSING',
  status: 422,
  retry: 'never',
  message: (pool: string, host: string) => `The Incus daemon of "${host}" has no storage pool "${pool}".`,
  hint: () =>
    'Make it ("incus storage create <pool> btrfs"), or name one that is there with FAIRLEAD_INCUS_POOL in the environment of the worker.',
})

export const SYSTEM_POOL_WITHOUT_LIMITS = defineError({
  code: 'SYSTEM_POOL_WITHOUT_LIMITS',
  status: 422,
  retry: 'never',
  message: (pool: string, host: string) =>
    `The storage pool "${pool}" of "${host}" is a plain folder and would not keep a container to its disk limit.`,
  hint: () =>
    'Let the host use a pool of btrfs, ZFS or LVM, or give the system no disk limit ("disk": null).',
})

export const SYSTEM_FAILED = defineError({
  code: 'SYSTEM_FAILED',
  status: 502,
  retry: 'later',
  message: (what: string, name: string, why: string) => `"${name}" could not be ${what}: ${why}`,
  hint: () =>
    'The words are those of Incus. "incus info --show-log <name>" on the host tells more; then ask for the same again.',
})

export const SYSTEM_POOL_FULL = defineError({
  code: 'SYSTEM_POOL_FULL',
  status: 507,
  retry: 'later',
  message: (pool: string, name: string, why: string) =>
    `The storage pool "${pool}" has no room for "${name}": ${why}`,
  hint: () =>
    'Delete systems or snapshots that nobody needs, or give the pool more room ("incus storage set").',
})

export const SYSTEM_WITHOUT_PACKAGES = defineError({
  code: 'SYSTEM_WITHOUT_PACKAGES',
  status: 422,
  retry: 'never',
  message: (name: string, packages: readonly string[]) =>
    `"${name}" cannot have ${packages.join(', ')}: there is no apt-get in its image.`,
  hint: () =>
    'Take an image of Debian or Ubuntu, one that has these services already, or a profile without them (docs/systems.md, "Profiles").',
})

export const SYSTEM_NOT_INSTALLED = defineError({
  code: 'SYSTEM_NOT_INSTALLED',
  status: 502,
  retry: 'later',
  message: (name: string, packages: readonly string[], why: string) =>
    `${packages.join(', ')} could not be installed in "${name}": ${why}`,
  hint: () =>
    'The words are those of apt-get. See that systems reach a Debian mirror and that the packages of the profile are named as there; then ask for the same again.',
})

export const SYSTEM_GONE = defineError({
  code: 'SYSTEM_GONE',
  status: 409,
  retry: 'later',
  message: (name: string) => `The container of "${name}" is not there any more.`,
  hint: (name: string) =>
    `Somebody deleted it on the host. "fairlead deploy ${name}" makes a new and empty one.`,
})

export const SYSTEM_OUT_OF_REACH = defineError({
  code: 'SYSTEM_OUT_OF_REACH',
  status: 503,
  retry: 'later',
  message: (name: string, member: string) =>
    `"${name}" is on "${member}", a member of the cluster that does not answer.`,
  hint: (_, member: string) =>
    `See to that machine and its Incus daemon; "fairlead systems members" shows when "${member}" is online again.`,
})

export const SYSTEM_NO_CLUSTER = defineError({
  code: 'SYSTEM_NO_CLUSTER',
  status: 422,
  retry: 'never',
  message: (host: string) =>
    `The Incus daemon of "${host}" is in no cluster: it has no members to choose from.`,
  hint: () => 'Leave the member out, or make a cluster first (docs/systems.md, "Cluster").',
})

export const SYSTEM_MEMBER_UNKNOWN = defineError({
  code: 'SYSTEM_MEMBER_UNKNOWN',
  status: 422,
  retry: 'never',
  message: (member: string, host: string, known: readonly string[]) =>
    `The cluster of "${host}" has no member "${member}"; it has ${known.join(', ')}.`,
  hint: () => '"fairlead systems members" lists them.',
})

export const SYSTEM_MEMBER_NOT_READY = defineError({
  code: 'SYSTEM_MEMBER_NOT_READY',
  status: 409,
  retry: 'later',
  message: (member: string, status: string) => `The member "${member}" of the cluster is ${status}.`,
  hint: (member: string, status: string) =>
    status === 'evacuated'
      ? `Take it into use again, "fairlead systems restore-member ${member}", or choose another one.`
      : 'See to that machine and its Incus daemon, or choose another member.',
})

export const SYSTEM_MEMBER_BUSY = defineError({
  code: 'SYSTEM_MEMBER_BUSY',
  status: 409,
  retry: 'later',
  message: (member: string) => `The member "${member}" of the cluster is just being evacuated or restored.`,
  hint: (member: string) =>
    `Nothing there is changed meanwhile. "fairlead systems members" shows when that is over, "fairlead systems cancel-member ${member}" ends it.`,
})

export const SYSTEM_MEMBER_LAST = defineError({
  code: 'SYSTEM_MEMBER_LAST',
  status: 409,
  retry: 'later',
  message: (member: string) =>
    `No other member of the cluster is online: what "${member}" has can go nowhere.`,
  hint: () => '"fairlead systems members" shows how they are; restore or repair another one first.',
})

export const SYSTEM_MEMBER_UNFINISHED = defineError({
  code: 'SYSTEM_MEMBER_UNFINISHED',
  status: 502,
  retry: 'later',
  message: (done: string, member: string, names: string) =>
    `"${member}" counts as ${done}, but Incus left this where it was, or stopped: ${names}.`,
  hint: (done: string, member: string) =>
    done === 'evacuated'
      ? `Ask for the same again, which begins anew: "fairlead systems evacuate ${member}".`
      : `Begin anew: "fairlead systems evacuate ${member}", then "fairlead systems restore-member ${member}"; one that is only stopped starts with "fairlead deploy".`,
})

export const SYSTEM_ADDRESS_OF_ONE = defineError({
  code: 'SYSTEM_ADDRESS_OF_ONE',
  status: 422,
  retry: 'never',
  message: (address: string, host: string) =>
    `Ports of systems of "${host}" are listened at ${address}, which only one member of its cluster has.`,
  hint: () =>
    'Set FAIRLEAD_SYSTEM_ADDRESS=0.0.0.0 (or ::) for its worker: then ports follow a system to every member (docs/systems.md, "Cluster").',
})

export const SYSTEM_NOT_ANSWERING = defineError({
  code: 'SYSTEM_NOT_ANSWERING',
  status: 502,
  retry: 'later',
  message: (name: string, why: string) => `"${name}" is not as it should be: ${why}`,
  hint: () =>
    'Look into it with "incus exec <name> -- sh" on the host: its SSH server has to be installed and started.',
})

export const SYSTEM_NOT_RUNNING = defineError({
  code: 'SYSTEM_NOT_RUNNING',
  status: 409,
  retry: 'later',
  message: (name: string, status: string) => `"${name}" is ${status}: there is nobody to talk with.`,
  hint: (name: string) => `Start it: "fairlead systems start ${name}".`,
})

export const SYSTEM_SNAPSHOT_GONE = defineError({
  code: 'SYSTEM_SNAPSHOT_GONE',
  status: 409,
  retry: 'never',
  message: (name: string, snapshot: string) => `"${name}" has no snapshot "${snapshot}".`,
  hint: (name: string) => `"fairlead systems show ${name}" lists its snapshots.`,
})
