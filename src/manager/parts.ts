import type { PublicIdentity } from '#link/public-identity.ts'
import type { Queue } from '#manager/deployments/queue.ts'
import type { Outbox } from '#manager/outbox/outbox.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import type { Poller } from '#manager/triggers/poll.ts'
import type { Config } from './config.ts'

/** Everything of the running manager that the API works with; main.ts puts it together. */
export interface ManagerParts extends PipelineParts {
  readonly config: Config
  readonly queue: Pick<Queue, 'wake' | 'abort' | 'hold'>
  readonly outbox: Pick<Outbox, 'interest' | 'wake' | 'refresh'>
  readonly poller: Pick<Poller, 'look' | 'forget'>
  /** What hosts have to pin of this manager. */
  readonly identity: () => PublicIdentity
}
