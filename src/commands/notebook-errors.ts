import { defineError } from '#lib/errors.ts'

export const NOTEBOOK_FOLDER_MISSING = defineError({
  code: 'NOTEBOOK_FOLDER_MISSING',
  status: 422,
  retry: 'never',
  message: (folder: string, commit: string) =>
    `There are no files of a notebook project in "${folder}" of commit ${commit.slice(0, 12)}.`,
  hint: () =>
    'Commit the folder, or correct the app\'s "folder". "fairlead check" lists the projects of a repository.',
})

export const NOTEBOOK_REFUSED = defineError({
  code: 'NOTEBOOK_REFUSED',
  status: 422,
  retry: 'never',
  message: (slug: string, first: string) =>
    `There can be no image of the notebook project "${slug}": ${first}`,
  hint: () =>
    'Correct the named files and push again; "fairlead check" finds the same. What ran before goes on.',
})

export const NOTEBOOK_CHANGED = defineError({
  code: 'NOTEBOOK_CHANGED',
  status: 409,
  retry: 'later',
  message: (slug: string, planned: string, found: string) =>
    `The notebook project "${slug}" was planned as ${planned}, and is ${found} now.`,
  hint: () => 'Its base images or settings changed in the meantime. Deploy again: it is planned anew.',
})

export const NOTEBOOK_DEPENDENCY_REFUSED = defineError({
  code: 'NOTEBOOK_DEPENDENCY_REFUSED',
  status: 422,
  retry: 'never',
  message: (said: string) => said,
  hint: () =>
    'Correct the file that asks for it and push again; the log of the deployment has all that the installer said. What ran before goes on.',
})

export const NOTEBOOK_BUILD_TOO_LONG = defineError({
  code: 'NOTEBOOK_BUILD_TOO_LONG',
  status: 422,
  retry: 'never',
  message: (slug: string, most: string) => `The image of "${slug}" was not built within ${most}.`,
  hint: () =>
    'The last lines of the log say what takes so long. Raise "build.timeout" in nb.yaml, or ask for fewer packages. What ran before goes on.',
})
