import { defineError } from '#lib/errors.ts'

export const PATH_IS_LINK = defineError({
  code: 'PATH_IS_LINK',
  status: 422,
  retry: 'never',
  message: (link: string, wanted: string) =>
    link === wanted ? `${link} is a symbolic link.` : `${wanted} cannot be read: ${link} is a symbolic link.`,
  hint: (link: string) =>
    `Links are never followed, because they may point out of the repository. Replace ${link} by the file or folder itself and push again.`,
})

export const TEXTS_TOO_LARGE = defineError({
  code: 'TEXTS_TOO_LARGE',
  status: 413,
  retry: 'never',
  message: (path: string, limitKiB: number) =>
    `The files to read from the repository are larger than ${limitKiB} KiB together; the largest is ${path}.`,
  hint: () =>
    'Configuration files are a few KiB. Take large data out of them, or narrow the patterns that are read.',
})

export const CREDENTIAL_DOES_NOT_FIT = defineError({
  code: 'CREDENTIAL_DOES_NOT_FIT',
  status: 422,
  retry: 'never',
  message: (url: string, has: string) => `${url} cannot be used with ${has}.`,
  hint: () =>
    'An https:// address takes a user name and a token, an ssh:// or git@host: address takes a private key and the known host keys of the server.',
})

export const REMOTE_FOLDER_TAKEN = defineError({
  code: 'REMOTE_FOLDER_TAKEN',
  status: 422,
  retry: 'never',
  message: (path: string) =>
    `The repository has ${JSON.stringify(path.slice(0, 200))}, where the files of other repositories would lie.`,
  hint: () => 'Give the folder .remote-repo another name and push again.',
})

export const WRITE_BACK_PATH_REFUSED = defineError({
  code: 'WRITE_BACK_PATH_REFUSED',
  status: 422,
  retry: 'never',
  message: (path: string) => `Nothing may be written to ${JSON.stringify(path.slice(0, 200))}.`,
  hint: () =>
    'Only files called URL.md are written, in folders without a leading dot. Name such a file, for example "docs/URL.md".',
})

export const BRANCH_TOO_BUSY = defineError({
  code: 'BRANCH_TOO_BUSY',
  status: 409,
  retry: 'later',
  message: (branch: string, url: string, tries: number) =>
    `The branch "${branch}" of ${url} moved ${tries} times while a commit was made for it.`,
  hint: () =>
    'Others push to it all the time. Try again when they are done; the next deployment does so by itself.',
})

export const COMMITTED_PATH_REFUSED = defineError({
  code: 'COMMITTED_PATH_REFUSED',
  status: 422,
  retry: 'never',
  message: (path: string) => `Nothing may be committed to ${JSON.stringify(path.slice(0, 200))}.`,
  hint: () =>
    'Only files called stack-instance.<definition>.<stack>.json or simple-stack-instance.<compose>.<stack>.json are committed, in folders without a leading dot.',
})
