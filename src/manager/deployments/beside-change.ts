/** What a deployment has to do with the push that asked for it. */
export interface OfPush {
  readonly repositoryId: string | null
  /** 1: the push changed its project. */
  readonly first: number
}

/**
 * Whether a deployment waits because a project of its repository that a push changed is at work, and one that it did not
 * change already looks beside it. Hundreds of those find nothing to do; more of them at once would take the time of the
 * one that somebody waits for.
 */
export function isBesideChange({ repositoryId, first }: OfPush, atWork: Iterable<OfPush>): boolean {
  const beside = [...atWork].filter(other => repositoryId !== null && other.repositoryId === repositoryId)
  return first === 0 && beside.some(other => other.first === 1) && beside.some(other => other.first === 0)
}
