import { defineError } from '#lib/errors.ts'

export const AUDIT_HEAD_MALFORMED = defineError({
  code: 'AUDIT_HEAD_MALFORMED',
  status: 422,
  retry: 'never',
  message: (text: string) => `"${text}" is no head of an audit log.`,
  hint: () => 'It is what "fairlead audit verify" prints: the number of a line, ":", and its hash.',
})
