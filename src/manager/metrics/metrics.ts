import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ManagerEvent } from '#manager/deployments/events.ts'
import type { ManagerParts } from '#manager/parts.ts'
import { type Figures, readFigures } from './read-figures.ts'

export interface Metrics {
  /** Everything as Prometheus reads it. Nothing is counted, and no memory taken, before the first call. */
  text(): Promise<string>
  readonly contentType: string
  /** Notes how a webhook was answered. */
  noteWebhook(status: number): void
  close(): void
}

type Parts = Pick<ManagerParts, 'db' | 'clock' | 'events' | 'agents' | 'config'>

/** From a look at a repository to a long build. */
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600]
/** Of steps whose end nobody told: their deployment was left by this process. */
const MOST_STEPS = 1000

export function createMetrics(parts: Parts): Metrics {
  let open: Promise<Open> | undefined
  let opened: Open | undefined
  return {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    async text() {
      open ??= openMetrics(parts)
      opened = await open
      opened.show(await readFigures(parts))
      return await opened.registry.metrics()
    },
    noteWebhook: status => opened?.webhooks.inc({ result: resultOf(status) }),
    close: () => opened?.close(),
  }
}

interface Open {
  readonly registry: Registry
  readonly webhooks: Counter<'result'>
  show(figures: Figures): void
  close(): void
}

/** The library is loaded when somebody asks for the first time. */
async function openMetrics({ clock, events }: Parts): Promise<Open> {
  const { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } = (await import('prom-client')).default
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  // The library reads these below /proc, where the manager may not, and says 0.
  for (const unreadable of ['resident_memory_bytes', 'virtual_memory_bytes', 'heap_bytes', 'open_fds']) {
    registry.removeSingleMetric(`process_${unreadable}`)
  }
  new Gauge({
    ...{ name: 'process_resident_memory_bytes', help: 'Resident memory size in bytes.', registers },
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  const gauge = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name: `fairlead_${name}`, help, labelNames, registers })
  const deployments = gauge('deployments', 'Deployments that have not ended, by state.', ['state'])
  const oldest = gauge('queue_oldest_seconds', 'Age of the oldest deployment that waits to start.')
  const apps = gauge('apps', 'Apps: all, those changed by hand, those paused, those stopped.', ['state'])
  const hosts = gauge('host_connected', '1: the agent is connected.', ['host', 'role'])
  const commands = gauge('commands_told', 'Commands in the journal that have not ended.')
  const outbox = gauge('outbox_waiting', 'Messages to Git hosts and people that are not sent yet.')
  const outboxOldest = gauge('outbox_oldest_seconds', 'Age of the oldest of them.')
  const store = gauge('store_bytes', 'Size of the database; of a file with its write-ahead log.')
  const webhooks = new Counter({
    ...{ name: 'fairlead_webhook_deliveries_total', help: 'Webhooks, by answer.', registers },
    labelNames: ['result'] as const,
  })
  const ended = new Counter({
    ...{ name: 'fairlead_deployments_ended_total', help: 'Deployments that ended.', registers },
    labelNames: ['state'] as const,
  })
  // A counter that is not there yet counts as nothing: the first increase would be lost, "none succeeded" never be true.
  ENDS.forEach(state => void ended.inc({ state }, 0))
  RESULTS.forEach(result => void webhooks.inc({ result }, 0))
  const steps = new Histogram({
    ...{ name: 'fairlead_step_seconds', help: 'Duration of steps.', buckets: SECONDS, registers },
    labelNames: ['step', 'state'] as const,
  })
  const listening = events.subscribe(undefined, countEvents({ ended, steps, now: clock.monotonic }))
  return {
    registry,
    webhooks,
    show(figures) {
      showByState(deployments, figures.deployments)
      showByState(apps, figures.apps)
      oldest.set(figures.queueOldestSeconds)
      hosts.reset()
      for (const { host, role, isConnected } of figures.hosts) {
        hosts.set({ host, role }, isConnected ? 1 : 0)
      }
      commands.set(figures.commandsTold)
      outbox.set(figures.outboxWaiting)
      outboxOldest.set(figures.outboxOldestSeconds)
      store.set(figures.storeBytes)
    },
    close: () => listening.close(),
  }
}

function showByState(gauge: Gauge<'state'>, counts: Readonly<Record<string, number>>): void {
  gauge.reset()
  for (const [state, count] of Object.entries(counts)) {
    gauge.set({ state }, count)
  }
}

const ENDS = ['succeeded', 'failed', 'cancelled', 'superseded'] as const

function countEvents(into: {
  readonly ended: Counter<'state'>
  readonly steps: Histogram<'step' | 'state'>
  readonly now: () => number
}) {
  const begun = new Map<string, number>()
  return ({ kind, fields }: ManagerEvent): void => {
    const { state } = fields
    const end = kind === 'deployment' && ENDS.find(each => each === state)
    if (end) {
      into.ended.inc({ state: end })
    }
    if (kind !== 'step') {
      return
    }
    const key = `${fields.deployment} ${fields.step}`
    if (state === 'running') {
      begun.set(key, into.now())
      if (begun.size > MOST_STEPS) {
        begun.delete(begun.keys().next().value ?? '')
      }
      return
    }
    const since = begun.get(key)
    begun.delete(key)
    if (since !== undefined) {
      into.steps.observe({ step: String(fields.step), state: String(state) }, (into.now() - since) / 1000)
    }
  }
}

const RESULTS = ['accepted', 'ignored', 'refused', 'failed'] as const

function resultOf(status: number): (typeof RESULTS)[number] {
  if (status === 202) {
    return 'accepted'
  }
  if (status < 400) {
    return 'ignored'
  }
  return status < 500 ? 'refused' : 'failed'
}
