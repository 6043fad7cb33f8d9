import { type Static, Type } from 'typebox'
import { asFairleadError } from '#lib/errors.ts'
import { probeContainer } from '#programs/probe.ts'
import type { SwarmNode } from '#programs/swarm-facts.ts'
import { defineCommand, type Hands } from './command.ts'
import { RenderHash } from './compose-data.ts'
import { AppName } from './container-data.ts'
import { openFingerprints } from './host-key.ts'
import { isExpected, Probe } from './route-data.ts'
import { StackName, type StackPort, SwarmServiceData } from './swarm-data.ts'
import { SWARM_NOT_AS_PLANNED, SWARM_SILENT } from './swarm-errors.ts'
import { type StackServiceWish, wishesOf } from './swarm-model.ts'
import { ownServices, requireManager, shortName, swarmNodes } from './swarm-reach.ts'
import { describeSeen, runningTasks, type SeenService, seeServices } from './swarm-seen.ts'
import { readStack } from './swarm-shelves.ts'

const strict = { additionalProperties: false } as const
const PAUSE_MS = 250
const ASK_MS = 5_000
const WITHIN_MS = 10_000

const VerifyData = Type.Object(
  {
    app: AppName,
    stack: StackName,
    render: RenderHash,
    /** A published port that is asked over HTTP, wherever the swarm says that it answers. */
    asked: Type.Optional(
      Type.Object({ port: Type.Integer({ minimum: 1, maximum: 65_535 }), probe: Probe }, strict),
    ),
  },
  strict,
)

export const swarmVerify = defineCommand({
  name: 'swarm.verify',
  summary:
    'Fails unless exactly the planned services run in the swarm, each task from the planned image, and the asked port answers.',
  role: 'worker',
  looksOnly: true,
  data: VerifyData,
  result: Type.Object(
    {
      services: Type.Array(SwarmServiceData),
      /** Where the asked port answered. */
      answers: Type.Array(Type.Object({ place: Type.String(), status: Type.Integer() }, strict)),
    },
    strict,
  ),
  deadlineMs: 5 * 60_000,
  async run(hands, data) {
    const own = await requireManager(hands)
    const model = await readStack(hands, data.stack, data.render)
    const [services, nodes, fingerprints] = await Promise.all([
      ownServices(hands, data),
      swarmNodes(hands),
      openFingerprints(hands),
    ])
    const seen = await seeServices(hands, data.stack, services)
    const around = { stack: data.stack, nodes, fingerprints }
    refuseDeviation(data.stack, wishesOf(model), seen)
    const described = seen.map(each => describeSeen(each, around))
    const unsettled = described.find(each => !each.isSettled)
    if (unsettled) {
      throw SWARM_NOT_AS_PLANNED(unsettled.name, unsettled.problem ?? 'it is not settled')
    }
    return { services: described, answers: await askPort(hands, data, { seen, nodes, own }) }
  },
})

function refuseDeviation(
  stack: string,
  wishes: readonly StackServiceWish[],
  seen: readonly SeenService[],
): void {
  for (const { service } of seen) {
    const name = shortName(stack, service.name)
    if (!wishes.some(each => each.name === name)) {
      throw SWARM_NOT_AS_PLANNED(name, 'nobody planned it')
    }
  }
  for (const wish of wishes) {
    const what = deviation(
      wish,
      seen.find(each => shortName(stack, each.service.name) === wish.name),
    )
    if (what !== undefined) {
      throw SWARM_NOT_AS_PLANNED(wish.name, what)
    }
  }
}

function deviation(wish: StackServiceWish, seen: SeenService | undefined): string | undefined {
  if (!seen) {
    return 'the swarm has no such service'
  }
  const other = runningTasks(seen).find(task => task.image !== wish.image)
  if (seen.service.image !== wish.image || other) {
    return `it runs ${other?.image ?? seen.service.image} instead of ${wish.image}`
  }
  const closed = wish.ports.find(
    port =>
      !seen.service.ports.some(each => each.published === port.published && each.target === port.target),
  )
  return closed ? `port ${closed.published} is not published` : undefined
}

interface Swarm {
  readonly seen: readonly SeenService[]
  readonly nodes: readonly SwarmNode[]
  /** Id of this host's node. */
  readonly own: string
}

async function askPort(hands: Hands, { asked }: Static<typeof VerifyData>, swarm: Swarm) {
  if (!asked) {
    return []
  }
  const places = placesOf(asked.port, swarm)
  if (places.length === 0) {
    throw SWARM_SILENT(`port ${asked.port}`, 'no service publishes it')
  }
  return Promise.all(
    places.map(async address => ({
      place: `${address}:${asked.port}`,
      status: await askUntilGood(hands, { address, ...asked }),
    })),
  )
}

/** Every node answers for an ingress port, this one is asked; a port in host mode is where its tasks are. */
function placesOf(port: number, { seen, nodes, own }: Swarm): string[] {
  const publishing = seen.flatMap(each =>
    each.service.ports
      .filter((published: StackPort) => published.published === port && published.protocol === 'tcp')
      .map(published => ({ each, mode: published.mode })),
  )
  const ids = publishing.flatMap(({ each, mode }) =>
    mode === 'host' ? runningTasks(each).map(task => task.nodeId) : [own],
  )
  return (
    nodes
      .filter(node => ids.includes(node.id))
      // A node that advertises no address of its own is this one.
      .map(node => (node.address === '0.0.0.0' || node.address === '' ? '127.0.0.1' : node.address))
  )
}

interface Asking {
  readonly address: string
  readonly port: number
  readonly probe: Probe
}

async function askUntilGood(hands: Hands, { address, port, probe }: Asking): Promise<number> {
  const began = hands.clock.monotonic()
  for (;;) {
    const answer = await ask(hands, { address, port, probe })
    if (typeof answer === 'number' && isExpected(probe.expect, answer)) {
      return answer
    }
    if (hands.clock.monotonic() - began > (probe.withinMs ?? WITHIN_MS)) {
      const what = typeof answer === 'number' ? `status ${answer}` : answer
      throw SWARM_SILENT(`${address}:${port}${probe.path ?? '/'}`, what)
    }
    await hands.clock.sleep(PAUSE_MS, hands.signal)
  }
}

/** The status, or why there is none. */
async function ask(hands: Hands, { address, port, probe }: Asking): Promise<number | string> {
  try {
    const asked = { ip: address, port, path: probe.path ?? '/', timeoutMs: ASK_MS }
    return (await hands.perform(probeContainer(asked))).status
  } catch (error) {
    hands.signal.throwIfAborted()
    return asFairleadError(error).message
  }
}
