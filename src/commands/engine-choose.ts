import { type Static, Type } from 'typebox'
import { EngineName, EngineWish } from '#contract/engine.ts'
import { asFairleadError } from '#lib/errors.ts'
import { NAMESPACE_LABEL, swarmMembership } from '#programs/docker-swarm.ts'
import { engineId, engineVersion } from '#programs/docker-version.ts'
import { listVolumes } from '#programs/docker-volumes.ts'
import { defineCommand, type EngineFacts, type Hands } from './command.ts'
import { AppName, LABEL } from './container-data.ts'
import { engineNamed, enginesOf, refuseStrangerTo } from './engine.ts'
import {
  ENGINE_HAS_DATA,
  ENGINE_IS_THE_SAME,
  ENGINE_SAME_SWARM,
  ENGINE_TOO_OLD,
  ENGINE_UNKNOWN,
} from './engine-errors.ts'
import { notePlatform } from './engine-platform.ts'
import { stacksOf } from './swarm-reach.ts'
import { shelvesOf } from './swarm-shelves.ts'

const strict = { additionalProperties: false } as const

const ASK_MS = 5_000
/** Docker 20.10: the first with what is used here of BuildKit. */
const LEAST = { api: 41, words: '20.10' }

const ChooseData = Type.Object(
  {
    app: AppName,
    wish: EngineWish,
    /** Where the app is now; it stays there when that fits. */
    current: Type.Optional(EngineName),
  },
  strict,
)
type ChooseData = Static<typeof ChooseData>

const Chosen = Type.Object({ engine: EngineName, version: Type.String() }, strict)

export const engineChoose = defineCommand({
  name: 'engine.choose',
  summary: 'Tells which engine of the host an app gets, and that it answers; refuses a move that loses data.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  data: ChooseData,
  result: Chosen,
  deadlineMs: 60_000,
  async run(hands, data) {
    const engine = fitting(hands, data)
    refuseStrangerTo(engine, { ...hands.host.owner, app: data.app })
    const version = await askVersion(hands, engine)
    if (data.current !== undefined && data.current !== engine.name) {
      const from = enginesOf(hands.host).find(each => each.name === data.current)
      await refuseLoss(hands, data.app, { from, to: engine })
    }
    return { engine: engine.name, version }
  },
})

/** The first in the order of the file, unless the app is on another one that fits as well. */
function fitting({ host }: Hands, { wish, current }: ChooseData): EngineFacts {
  if (typeof wish === 'string') {
    return engineNamed(host, wish)
  }
  const all = enginesOf(host)
  const found = all.filter(({ labels }) =>
    Object.entries(wish).every(([key, value]) => labels[key] === value),
  )
  const chosen = found.find(each => each.name === current) ?? found[0]
  if (!chosen) {
    const words = Object.entries(wish).map(([key, value]) => `${key}: ${value}`)
    throw ENGINE_UNKNOWN(
      `with ${words.join(', ')}`,
      host.name,
      all.map(each => each.name),
    )
  }
  return chosen
}

async function askVersion(hands: Hands, engine: EngineFacts): Promise<string> {
  const { name, address } = engine
  const said = await hands.perform(engineVersion(address, ASK_MS))
  const { version, api } = said
  notePlatform(engine, said)
  const [major = 0, minor = 0] = api.split('.').map(Number)
  if (major < 1 || (major === 1 && minor < LEAST.api)) {
    throw ENGINE_TOO_OLD(name, version, LEAST.words)
  }
  return version
}

/** An engine that does not answer cannot be asked, and is perhaps why the app moves. */
async function refuseLoss(
  hands: Hands,
  app: string,
  { from, to }: { readonly from: EngineFacts | undefined; readonly to: EngineFacts },
): Promise<void> {
  if (!from) {
    return
  }
  const labels = [
    `${LABEL.app}=${app}`,
    ...(await shelvesOf(hands, app)).flatMap(({ stack }) => [
      `com.docker.compose.project=${stack}`,
      `${NAMESPACE_LABEL}=${stack}`,
    ]),
  ]
  const newId = await hands.perform(engineId(to.address, ASK_MS))
  let found: readonly string[]
  try {
    if ((await hands.perform(engineId(from.address, ASK_MS))) === newId) {
      // What is removed from the old one when the app has moved would be what was just started.
      throw ENGINE_IS_THE_SAME(to.name, from.name)
    }
    if (await isSameSwarm(hands, app, { from, to })) {
      throw ENGINE_SAME_SWARM(app, to.name, from.name)
    }
    const volumes = labels.map(label => hands.perform(listVolumes(from.address, [label])))
    found = (await Promise.all(volumes)).flat()
  } catch (error) {
    hands.signal.throwIfAborted()
    if (ENGINE_IS_THE_SAME.matches(error) || ENGINE_SAME_SWARM.matches(error)) {
      throw error
    }
    const reason = asFairleadError(error).message
    hands.say(`whether ${app} has data on the engine "${from.name}" is not known: ${reason}`)
    return
  }
  if (found.length > 0) {
    throw ENGINE_HAS_DATA(app, from.name, [...new Set(found)].sort())
  }
}

/** Then removing its stack from the old place would remove it from the new one. */
async function isSameSwarm(
  hands: Hands,
  app: string,
  { from, to }: { readonly from: EngineFacts; readonly to: EngineFacts },
): Promise<boolean> {
  if ((await stacksOf(hands, from.address, app)).length === 0) {
    return false
  }
  const [here, there] = await Promise.all(
    [from, to].map(each => hands.perform(swarmMembership(each.address))),
  )
  return here?.swarmId !== undefined && here.swarmId === there?.swarmId
}
