import { defineError } from '#lib/errors.ts'

export const SECRET_FILE_MISSING = defineError({
  code: 'SECRET_FILE_MISSING',
  status: 422,
  retry: 'never',
  message: (file: string, commit: string) =>
    `The deploy file names the encrypted file "${file}", which the commit ${commit.slice(0, 12)} does not have.`,
  hint: (file: string) => `Add "${file}" to Git (is it in .gitignore?), or take it out of "secret_files".`,
})

export const SECRET_FILE_FOREIGN = defineError({
  code: 'SECRET_FILE_FOREIGN',
  status: 422,
  retry: 'never',
  message: (file: string, repository: string, recipient: string | undefined) =>
    `"${file}" is not encrypted for the repository "${repository}" (${recipient ?? 'which has no key yet'}).`,
  hint: (file: string, repository: string) =>
    `Encrypt it anew: age -r "$(fairlead secrets recipient ${repository})" -o ${file} FILE. Every repository has a key of its own: a copy from another one cannot be read.`,
})

export const SECRET_FILE_DAMAGED = defineError({
  code: 'SECRET_FILE_DAMAGED',
  status: 422,
  retry: 'never',
  message: (file: string, recipient: string | undefined, why: string) =>
    `The encrypted file "${file}"${recipient === undefined ? '' : ` (for ${recipient})`} cannot be used: ${why}.`,
  hint: () =>
    'Encrypt it anew with age and push it. In .gitattributes "*.age binary" keeps Git from changing line ends in it.',
})

export const TOO_MANY_RECIPIENTS = defineError({
  code: 'TOO_MANY_RECIPIENTS',
  status: 409,
  retry: 'never',
  message: (most: number) => `The repository has ${most} keys for encrypted files, and no more are kept.`,
  hint: () =>
    'Encrypt its files for the newest one. Registered anew, under another name, it begins with none.',
})
