import { readFileSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { type Static, Type } from 'typebox'
import { parse } from 'yaml'
import type { EngineFacts, PublishFacts } from '#commands/command.ts'
import { LOCAL_ENGINE } from '#commands/engine.ts'
import { IPV4_PATTERN } from '#commands/subnet.ts'
import { EngineLabels, EngineName } from '#contract/engine.ts'
import { problemsOf } from '#lib/check.ts'
import { readEngineTls, type WorkerEngineTls } from './engine-tls.ts'
import { ENGINES_INVALID } from './errors.ts'

const strict = { additionalProperties: false } as const
const Port = Type.Integer({ minimum: 1024, maximum: 65_535 })
const Path = Type.String({ minLength: 1, maxLength: 4_096 })
const Address = Type.String({ pattern: IPV4_PATTERN })

const Entry = Type.Object(
  {
    name: EngineName,
    /** unix:///path or tcp://host:port; left out for `local`. */
    host: Type.Optional(
      Type.String({ pattern: '^(?:unix:///[^\\u0000-\\u001f]+|tcp://[A-Za-z0-9.-]{1,253}:[0-9]{1,5})$' }),
    ),
    tls: Type.Optional(Type.Object({ ca: Path, cert: Path, key: Path }, strict)),
    labels: Type.Optional(EngineLabels),
    apps: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z0-9*?-]{1,40}$' }), { minItems: 1, maxItems: 1_000 }),
    ),
    repositories: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z0-9*?-]{1,40}$' }), { minItems: 1, maxItems: 1_000 }),
    ),
    publish: Type.Optional(
      Type.Object(
        {
          address: Type.Union([
            Address,
            Type.Array(Address, { minItems: 1, maxItems: 2, uniqueItems: true }),
          ]),
          ports: Type.Optional(Type.Object({ from: Port, to: Port }, strict)),
        },
        strict,
      ),
    ),
  },
  strict,
)
type Entry = Static<typeof Entry>

const EnginesFile = Type.Object({ engines: Type.Array(Entry, { minItems: 1, maxItems: 50 }) }, strict)

/** Two for each app: enough for 5,000, and away from the ports that hosts use themselves. */
const PORTS = { from: 20_000, to: 29_999 }
/** An engine behind another socket of this machine is nearby, and nobody else has to reach its containers. */
const NEARBY: PublishFacts = { addresses: ['127.0.0.1'], ports: PORTS }

export interface WorkerEngines {
  /** The host's own first. */
  readonly engines: readonly EngineFacts[]
  /** Of those that are reached over TCP, by address. */
  readonly tls: ReadonlyMap<string, WorkerEngineTls>
}

/** The engines of this host. Throws ENGINES_INVALID with what is wrong, and in which file. */
export function readEngines(file: string, socket: string, now: number): WorkerEngines {
  const entries = parsed(file)
  const remote = entries.filter(({ name }) => name !== LOCAL_ENGINE)
  const own = entries.find(({ name }) => name === LOCAL_ENGINE)
  if (own?.host || own?.tls || own?.publish) {
    throw ENGINES_INVALID(
      file,
      `"${LOCAL_ENGINE}" is the engine of this host: it takes labels, apps and repositories only`,
    )
  }
  refuseTwice(
    file,
    entries.map(({ name }) => name),
  )
  refuseTwice(file, [`unix://${socket}`, ...remote.map(({ host = '' }) => host)])
  const tls = new Map(
    remote.flatMap(each => (isTcp(each) ? [[each.host, tlsOf(file, each, now)] as const] : [])),
  )
  return {
    engines: [
      {
        name: LOCAL_ENGINE,
        address: socket,
        labels: own?.labels ?? {},
        apps: own?.apps,
        repositories: own?.repositories,
      },
      ...remote.map(each => factsOf(file, each)),
    ],
    tls,
  }
}

function parsed(file: string): readonly Entry[] {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode
  if (mode === undefined) {
    throw ENGINES_INVALID(file, 'there is no such file')
  }
  if ((mode & 0o022) !== 0) {
    throw ENGINES_INVALID(file, 'others than its owner may write it')
  }
  let value: unknown
  try {
    value = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 })
  } catch (error) {
    throw ENGINES_INVALID(file, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
  }
  const problems = problemsOf(EnginesFile, value)
  const [first] = problems
  if (first) {
    const where = [first.path || 'the whole', first.message, first.expected].filter(Boolean).join(' ')
    throw ENGINES_INVALID(file, where).with({ problems })
  }
  return (value as Static<typeof EnginesFile>).engines
}

function refuseTwice(file: string, texts: readonly string[]): void {
  const twice = texts.find((text, at) => texts.indexOf(text) !== at)
  if (twice !== undefined) {
    throw ENGINES_INVALID(file, `"${twice}" is there twice`)
  }
}

function isTcp(entry: Entry): entry is Entry & { host: string } {
  return entry.host?.startsWith('tcp://') === true
}

function tlsOf(file: string, { name, host, tls }: Entry, now: number): WorkerEngineTls {
  if (!tls) {
    throw ENGINES_INVALID(
      file,
      `"${name}" at ${host} has no "tls": whoever reaches an engine without it is root on its machine`,
    )
  }
  const relative = Object.values(tls).find(path => !isAbsolute(path))
  if (relative !== undefined) {
    throw ENGINES_INVALID(file, `${relative} of "${name}" is not an absolute path`)
  }
  return readEngineTls(name, tls, now)
}

function factsOf(file: string, entry: Entry): EngineFacts {
  const { name, host, tls, labels = {}, apps, repositories, publish } = entry
  if (host === undefined) {
    throw ENGINES_INVALID(file, `"${name}" has no "host"`)
  }
  if (tls && !isTcp(entry)) {
    throw ENGINES_INVALID(file, `"${name}" is a socket of this machine: "tls" is for tcp://`)
  }
  const given = publish && {
    addresses: [publish.address].flat(),
    ports: publish.ports ?? PORTS,
  }
  if (given && given.ports.from >= given.ports.to) {
    throw ENGINES_INVALID(file, `"${name}" publishes no two ports`)
  }
  return {
    name,
    address: host.replace(/^unix:\/\//, ''),
    ...(tls ? { keys: Object.values(tls) } : {}),
    labels,
    apps,
    repositories,
    publish: given ?? (isTcp(entry) ? undefined : NEARBY),
  }
}
