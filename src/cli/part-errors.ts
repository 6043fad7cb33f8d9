import { defineError } from '#lib/errors.ts'

export const DATA_UNWRITABLE = defineError({
  code: 'DATA_UNWRITABLE',
  status: 500,
  retry: 'never',
  message: (part: string, folder: string, why: string) =>
    `The ${part} cannot write its data folder ${folder}: ${why}.`,
  hint: () =>
    'Let the disk of FAIRLEAD_DATA be mounted for writing and the folder belong to this user, or name another folder with FAIRLEAD_DATA. Remove nothing in it.',
})

export const PART_DID_NOT_START = defineError({
  code: 'PART_DID_NOT_START',
  status: 500,
  retry: 'never',
  message: (part: string, reason: string, _hint: string) => `The ${part} did not start: ${reason}`,
  hint: (part, _reason, hint) => hint || `Its whole log is in the data folder (${part}/${part}.log).`,
})
