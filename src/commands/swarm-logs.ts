import { Type } from 'typebox'
import { AS_LONG_AS_COMMAND_MS } from '#exec/call.ts'
import { asFairleadError } from '#lib/errors.ts'
import { listServices, NAMESPACE_LABEL, serviceLog } from '#programs/docker-swarm.ts'
import type { SwarmService } from '#programs/swarm-facts.ts'
import { defineCommand, type Hands } from './command.ts'
import { ServiceName } from './compose-data.ts'
import { AppName, LABEL } from './container-data.ts'
import { CONTAINER_NOT_FOUND } from './container-errors.ts'
import { requireManager, shortName } from './swarm-reach.ts'

const strict = { additionalProperties: false } as const
const LOOK_MS = 1_000
/** A node that is away makes the swarm wait for its part without end. */
const SHORT_MS = 20_000
/** No service is there for so long: it was not the pause of a deployment. */
const PAUSE_MS = 5_000

export const swarmLogs = defineCommand({
  name: 'swarm.logs',
  summary: 'Shows what the services of an app print on all nodes of its swarm, each line with its service.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object(
    {
      app: AppName,
      /** Only this one; default: all. */
      service: Type.Optional(ServiceName),
      /** Lines of each task to begin with. */
      tail: Type.Integer({ minimum: 0, maximum: 100_000 }),
      /** Stay and show new lines until cancelled, or until the app has no service any more. */
      follow: Type.Boolean(),
    },
    strict,
  ),
  result: Type.Object({ services: Type.Array(Type.String()), lines: Type.Integer() }, strict),
  deadlineMs: AS_LONG_AS_COMMAND_MS,
  async run(hands, { app, service, tail, follow }) {
    await requireManager(hands)
    const found = await servicesOf(hands, app, service)
    if (found.length === 0) {
      throw CONTAINER_NOT_FOUND(service === undefined ? app : `${app}/${service}`)
    }
    let lines = 0
    const show: Show = (each, first) =>
      hands.perform(
        serviceLog(hands.host.dockerSocket, {
          service: each.id,
          tail: first,
          follow,
          timeoutMs: follow ? AS_LONG_AS_COMMAND_MS : SHORT_MS,
          onLine: (text, stream) => {
            lines += 1
            hands.say(service === undefined ? `${nameOf(each)} | ${text}` : text, stream)
          },
        }),
      )
    if (follow) {
      await followAll(hands, { find: () => servicesOf(hands, app, service), tail, show })
    } else {
      await Promise.all(found.map(each => showOnce(hands, each, () => show(each, tail))))
    }
    return { services: found.map(nameOf), lines }
  },
})

type Show = (service: SwarmService, tail: number | undefined) => Promise<void>

async function servicesOf(
  hands: Hands,
  app: string,
  wanted: string | undefined,
): Promise<readonly SwarmService[]> {
  const all = await hands.perform(listServices(hands.host.dockerSocket))
  return all.filter(
    each => each.labels[LABEL.app] === app && (wanted === undefined || nameOf(each) === wanted),
  )
}

function nameOf({ name, labels }: SwarmService): string {
  return shortName(labels[NAMESPACE_LABEL] ?? '', name)
}

/** What came before the swarm gave up waiting is shown all the same. */
async function showOnce(hands: Hands, service: SwarmService, show: () => Promise<void>): Promise<void> {
  try {
    await show()
  } catch (error) {
    hands.signal.throwIfAborted()
    const why = asFairleadError(error).message
    hands.say(`${nameOf(service)} may have printed more: ${why}`, 'stderr')
  }
}

interface Followed {
  readonly find: () => Promise<readonly SwarmService[]>
  readonly tail: number
  readonly show: Show
}

/** One stream for each service, which the swarm keeps filled from whatever tasks it has; services may come and go. */
async function followAll(hands: Hands, { find, tail, show }: Followed): Promise<void> {
  const open = new Map<string, Promise<void>>()
  const known = new Set<string>()
  let isFirst = true
  for (let idleSince: number | undefined; ; ) {
    const found = await find()
    for (const service of found.filter(({ id }) => !open.has(id))) {
      // One that is new is shown from its first line, and one whose stream broke goes on.
      const first = known.has(service.id) ? 0 : isFirst ? tail : undefined
      known.add(service.id)
      const shown = showOnce(hands, service, () => show(service, first)).finally(() =>
        open.delete(service.id),
      )
      open.set(service.id, shown)
    }
    isFirst = false
    const now = hands.clock.monotonic()
    idleSince = found.length > 0 ? undefined : (idleSince ?? now)
    if (idleSince !== undefined && now - idleSince >= PAUSE_MS) {
      return
    }
    await hands.clock.sleep(LOOK_MS, hands.signal)
  }
}
