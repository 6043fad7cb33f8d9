/** Ends at which a deployment succeeded and touched nothing. */
export const WITHOUT_EFFECT = [
  'nothing-to-do',
  'unaffected',
  'own-commit',
  'skipped-by-message',
  'held-by-rollback',
  /** Its files want the app no more: another deployment removes it. */
  'files-gone',
  /** The message of the commit asked for other apps, for a plan, or for images alone. */
  'not-asked',
  'dry-run',
  'built',
] as const

export type WithoutEffect = (typeof WITHOUT_EFFECT)[number]

/** Ends at which nobody looked at what runs: they say nothing about it, neither that it is well nor that it is not. */
export const WITHOUT_LOOK = WITHOUT_EFFECT.filter(outcome => outcome !== 'nothing-to-do')

export function isWithoutEffect(outcome: string | null | undefined): outcome is WithoutEffect {
  return WITHOUT_EFFECT.some(each => each === outcome)
}

export function isWithoutLook(outcome: string | null | undefined): boolean {
  return WITHOUT_LOOK.some(each => each === outcome)
}
