const ENDED: readonly string[] = ['succeeded', 'failed', 'cancelled', 'superseded']

/** Whether nothing changes any more. */
export function hasEnded(deployment: { readonly state: string }): boolean {
  return ENDED.includes(deployment.state)
}
