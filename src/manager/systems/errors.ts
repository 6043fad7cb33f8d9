import { defineError } from '#lib/errors.ts'

export const SYSTEM_NOT_FOUND = defineError({
  code: 'SYSTEM_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (name: string) => `There is no system "${name}".`,
  hint: () => '"fairlead systems" lists them.',
})

export const SYSTEM_BUSY = defineError({
  code: 'SYSTEM_BUSY',
  status: 409,
  retry: 'later',
  message: (name: string, deployment: string) =>
    `"${name}" is just being changed (deployment ${deployment}), and can be renamed only afterwards.`,
  hint: (_, deployment: string) => `Wait for its end, or end it: "fairlead cancel ${deployment}".`,
})

export const SYSTEM_NOT_SEEN = defineError({
  code: 'SYSTEM_NOT_SEEN',
  status: 409,
  retry: 'later',
  message: (name: string, member: string) =>
    `"${name}" is on "${member}", a member of the cluster that does not answer: there it would keep its old name.`,
  hint: (_, member: string) => `Rename it when "fairlead systems members" shows "${member}" online again.`,
})

export const SYSTEM_NOT_CONFIRMED = defineError({
  code: 'SYSTEM_NOT_CONFIRMED',
  status: 422,
  retry: 'never',
  message: (name: string) =>
    `"${name}" would be deleted with everything in it and its snapshots, and nobody confirmed that.`,
  hint: (name: string) =>
    `Repeat its name: "confirm=${name}", or "fairlead systems delete ${name} --confirm ${name}".`,
})

export const SSH_KEY_INVALID = defineError({
  code: 'SSH_KEY_INVALID',
  status: 422,
  retry: 'never',
  message: (why: string) => `The SSH key ${why}.`,
  hint: () =>
    'Give one line of a file that ends with .pub, as "ssh-keygen -t ed25519" writes it: type, key, comment.',
})

export const SSH_KEY_NOT_FOUND = defineError({
  code: 'SSH_KEY_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (id: string) => `You have no SSH key "${id}".`,
  hint: () => '"fairlead systems keys" lists yours.',
})

export const SSH_KEY_MISSING = defineError({
  code: 'SSH_KEY_MISSING',
  status: 422,
  retry: 'never',
  message: (person: string) => `"${person}" has no SSH key, and nobody could log in to the system.`,
  hint: () => 'Add one first: "fairlead systems keys add ~/.ssh/id_ed25519.pub". There are no passwords.',
})

export const PORTS_EXHAUSTED = defineError({
  code: 'PORTS_EXHAUSTED',
  status: 507,
  retry: 'later',
  message: (host: string, first: number, last: number) =>
    `All ports from ${first} to ${last} of "${host}" are given away.`,
  hint: () => 'Delete systems that nobody needs, or have the manager give more: FAIRLEAD_SYSTEM_PORTS.',
})

export const PORT_TWICE = defineError({
  code: 'PORT_TWICE',
  status: 422,
  retry: 'never',
  message: (port: string) => `The port ${port} of the system is asked for twice.`,
  hint: () => 'Ask for each port once, and not for 22/tcp: its SSH server has a port of the host anyway.',
})

export const QUOTA_EXCEEDED = defineError({
  code: 'QUOTA_EXCEEDED',
  status: 403,
  retry: 'never',
  message: (whose: string, what: string, wanted: number, most: number) =>
    `With this ${whose} would have ${wanted} ${what}; at most ${most} are allowed.`,
  hint: () =>
    'Ask for less, make room by deleting or shrinking other systems, or have the quota raised (docs/systems.md, "Limits").',
})

export const SYSTEM_CHANGED_ELSEWHERE = defineError({
  code: 'SYSTEM_CHANGED_ELSEWHERE',
  status: 422,
  retry: 'never',
  message: (name: string) => `"${name}" is a system: its settings are not overrides of an app.`,
  hint: (name: string) => `Change it with "fairlead systems set ${name}".`,
})

export const SYSTEM_NOT_ROLLED_BACK = defineError({
  code: 'SYSTEM_NOT_ROLLED_BACK',
  status: 422,
  retry: 'never',
  message: (name: string) =>
    `"${name}" is a system: an earlier release would bring back removed SSH keys, given-back ports and an old disk.`,
  hint: (name: string) =>
    `Bring back what is on its disk with "fairlead systems restore ${name} <snapshot>", and limits with "fairlead systems set ${name}".`,
})

export const PROFILE_NOT_FOUND = defineError({
  code: 'PROFILE_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (name: string, known: readonly string[]) =>
    `There is no profile "${name}"; there is ${known.join(', ')}.`,
  hint: () => '"fairlead systems profiles" lists what each installs; an admin adds one with "--set".',
})

export const MEMBER_NOT_FOUND = defineError({
  code: 'MEMBER_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (member: string, host: string) => `"${host}" talks to no cluster with a member "${member}".`,
  hint: () => '"fairlead systems members" lists members and whose worker talks to them.',
})

export const MEMBER_BUSY = defineError({
  code: 'MEMBER_BUSY',
  status: 409,
  retry: 'later',
  message: (member: string, host: string) =>
    `The member "${member}" of the cluster of "${host}" is just being evacuated or restored.`,
  hint: (member: string) =>
    `Wait for its end, "fairlead systems members" shows it, or end it: "fairlead systems cancel-member ${member}".`,
})

export const MEMBER_NOT_CHANGED = defineError({
  code: 'MEMBER_NOT_CHANGED',
  status: 409,
  retry: 'never',
  message: (member: string, host: string) =>
    `Nothing is under way with the member "${member}" of the cluster of "${host}": there is nothing to end.`,
  hint: () => '"fairlead systems members" shows how the last one ended.',
})

export const SNAPSHOT_EXISTS = defineError({
  code: 'SNAPSHOT_EXISTS',
  status: 409,
  retry: 'never',
  message: (name: string, snapshot: string) => `"${name}" has a snapshot "${snapshot}" already.`,
  hint: () => 'Choose another name, or delete that snapshot first.',
})

export const BACKUP_NOT_FOUND = defineError({
  code: 'BACKUP_NOT_FOUND',
  status: 404,
  retry: 'never',
  message: (id: string) => `There is no backup ${id}.`,
  hint: () => '"fairlead systems backups" lists them.',
})

export const BACKUP_NOT_USABLE = defineError({
  code: 'BACKUP_NOT_USABLE',
  status: 409,
  retry: 'never',
  message: (id: string, why: string) => `No system can be made of the backup ${id}: ${why}.`,
  hint: () =>
    '"fairlead systems backups" shows which are kept, and on which host; "--copy <id> --to <host>" brings one to another.',
})

export const TOO_MANY_BACKUPS = defineError({
  code: 'TOO_MANY_BACKUPS',
  status: 409,
  retry: 'never',
  message: (owner: string, most: number) => `"${owner}" has ${most} backups already.`,
  hint: () => 'Delete some: "fairlead systems backups --delete <id>".',
})

export const IMAGE_OR_BACKUP = defineError({
  code: 'IMAGE_OR_BACKUP',
  status: 422,
  retry: 'never',
  message: () => 'A system is made of an image or of a backup, and it is said of which.',
  hint: () => 'Give "image" (--image) or "backup" (--backup).',
})

export const RENAMED_ALONE = defineError({
  code: 'RENAMED_ALONE',
  status: 422,
  retry: 'never',
  message: (name: string, others: readonly string[]) =>
    `"${name}" cannot be renamed and changed at once: beside its new name there is ${others.join(', ')}.`,
  hint: () => 'Ask for the new name first, and for the rest when that deployment has ended.',
})
