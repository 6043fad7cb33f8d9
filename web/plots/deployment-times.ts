import type { DeploymentDocument } from '#contract/rest/deployments.ts'

export interface DeploymentTime {
  /** Seconds since 1970, when it was asked for. */
  readonly at: number
  /** Seconds until it began, and from there until its end. */
  readonly waited: number
  readonly took: number
}

type Timed = Pick<
  DeploymentDocument,
  'created_at' | 'started_at' | 'finished_at' | 'waiting_since' | 'approved'
>

/** Oldest first. What never began, or waited for a person, says nothing of how fast it went. */
export function timesOf(deployments: readonly Timed[]): DeploymentTime[] {
  return deployments
    .flatMap(({ created_at, started_at, finished_at, waiting_since, approved }) => {
      if (started_at === null || finished_at === null || waiting_since !== null || approved !== null) {
        return []
      }
      const [asked, began, ended] = [created_at, started_at, finished_at].map(time => Date.parse(time) / 1000)
      return asked === undefined || began === undefined || ended === undefined
        ? []
        : [{ at: asked, waited: Math.max(0, began - asked), took: Math.max(0, ended - began) }]
    })
    .sort((one, other) => one.at - other.at)
}
