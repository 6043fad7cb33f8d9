import { join } from 'node:path'
import { silentLogger } from '#lib/logger.ts'
import { DeploymentLogs } from '#manager/deployments/logs.ts'
import { createQueue, type Queue } from '#manager/deployments/queue.ts'
import type { TestStore } from '#manager/deployments/test-store.ts'
import { createHttpClient } from '#manager/http.ts'
import { createSealer } from '#manager/secrets/seal.ts'
import type { PipelineParts } from './step.ts'
import type { FakeAgents } from './test-agents.ts'

/** The real queue and pipeline on a test's store and agents; `changes` replace other parts. */
export function openTestQueue(
  store: TestStore,
  agents: FakeAgents,
  changes: Partial<PipelineParts> = {},
): Queue {
  const parts = testParts(store, agents, { wake: () => queue.wake(), ...changes })
  const queue = createQueue({ parts, logger: silentLogger, perHost: 2 })
  return queue
}

/** What the pipeline works with, for what is asked of it without a queue. */
export function testParts(
  store: TestStore,
  agents: FakeAgents,
  changes: Partial<PipelineParts> = {},
): PipelineParts {
  return {
    ...store,
    agents,
    logs: new DeploymentLogs(join(store.folder, 'logs')),
    sealer: createSealer(Buffer.alloc(32, 1)),
    logger: silentLogger,
    registry: undefined,
    baseDomain: 'localhost',
    allow: { allowPrivate: [], gitHosts: undefined },
    keepReleases: 5,
    mostUnattended: 0,
    deadlines: {},
    http: createHttpClient({ clock: store.clock, allowPrivate: [] }),
    wake: () => {},
    ...changes,
  }
}
