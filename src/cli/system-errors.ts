import { defineError } from '#lib/errors.ts'

export const PROGRAM_MISSING_HERE = defineError({
  code: 'PROGRAM_MISSING_HERE',
  status: 500,
  retry: 'never',
  message: (program: string, _debianPackage: string) => `The program "${program}" is not on this machine.`,
  hint: (_program: string, debianPackage: string) => `Install it: apt-get install ${debianPackage}.`,
})

export const NO_SSH_THERE = defineError({
  code: 'NO_SSH_THERE',
  status: 409,
  retry: 'later',
  message: (system: string) => `It is not known where "${system}" can be reached.`,
  hint: (system: string) => `See whether it was made: "fairlead systems show ${system}".`,
})

export const CONSOLE_ENDED = defineError({
  code: 'CONSOLE_ENDED',
  status: 503,
  retry: 'later',
  message: (system: string, why: number) =>
    why === 4401
      ? `The console of "${system}" has ended: your token may not have it any more.`
      : `The console of "${system}" broke off (${why}).`,
  hint: (system: string) =>
    `What ran in its foreground has ended. "fairlead systems console ${system}" opens another one.`,
})

export const QUOTA_OF_WHOM = defineError({
  code: 'QUOTA_OF_WHOM',
  status: 422,
  retry: 'never',
  message: () => 'It is not said for whom the quota is.',
  hint: () => 'Add --person <e-mail> or --host <name>; "*" stands for whoever has none of their own.',
})

export const BACKUP_FAILED = defineError({
  code: 'BACKUP_FAILED',
  status: 502,
  retry: 'later',
  message: (system: string, why: string) => `"${system}" was not backed up: ${why}`,
  hint: (system: string) => `Put right what it says, then "fairlead systems backup ${system}" again.`,
})

export const COPY_FAILED = defineError({
  code: 'COPY_FAILED',
  status: 502,
  retry: 'later',
  message: (backup: string, host: string, why: string) =>
    `The backup ${backup} was not brought to "${host}": ${why}`,
  hint: (backup: string, host: string) =>
    `Put right what it says, then "fairlead systems backups --copy ${backup} --to ${host}" again.`,
})

export const COPY_OF_WHAT = defineError({
  code: 'COPY_OF_WHAT',
  status: 422,
  retry: 'never',
  message: () => 'A copy is of a backup and for a host, and one of them is missing.',
  hint: () => 'Give both: --copy <id> --to <host>.',
})

export const PROFILE_OF_WHAT = defineError({
  code: 'PROFILE_OF_WHAT',
  status: 422,
  retry: 'never',
  message: () => 'A profile has a name and packages, and one of them is missing.',
  hint: () => 'Give both: --set web --packages nginx,git.',
})

export const NO_SUCH_MEMBER = defineError({
  code: 'NO_SUCH_MEMBER',
  status: 404,
  retry: 'never',
  message: (member: string, found: number) =>
    found === 0 ? `No cluster has a member "${member}".` : `${found} hosts talk to a member "${member}".`,
  hint: () => '"fairlead systems members" lists them; "--host" says which is meant.',
})

export const MEMBER_CHANGE_FAILED = defineError({
  code: 'MEMBER_CHANGE_FAILED',
  status: 502,
  retry: 'later',
  message: (member: string, action: string, why: string) => `"${member}": ${action} failed: ${why}`,
  hint: () => 'What was moved is where it was moved to. Once the reason is gone, ask for the same again.',
})

export const MEMBER_CHANGE_CANCELLED = defineError({
  code: 'MEMBER_CHANGE_CANCELLED',
  status: 409,
  retry: 'never',
  message: (member: string, action: string, what: string) => `"${member}": ${action} was ended. ${what}`,
  hint: () => 'Ask for the same again to have the rest done.',
})
