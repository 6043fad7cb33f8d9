import { readFileSync, statSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { parse } from 'yaml'
import type { HostPolicy } from '#commands/command.ts'
import { ProjectName } from '#commands/compose-data.ts'
import { problemsOf } from '#lib/check.ts'
import type { SandboxLimits } from '#policy/container.ts'
import { bytes, Duration, Memory, milliseconds } from '#targets/container-settings.ts'
import { POLICY_INVALID } from './errors.ts'

const strict = { additionalProperties: false } as const
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
const Texts = Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { maxItems: 1_000 })

/** Every key may be left out. */
const PolicyFile = Type.Object(
  {
    mode: Type.Optional(Type.Union([Type.Literal('enforce'), Type.Literal('warn'), Type.Literal('trusted')])),
    ports: Type.Optional(
      Type.Object(
        {
          from: Type.Optional(Port),
          to: Type.Optional(Port),
          never: Type.Optional(Type.Array(Port, { maxItems: 10_000 })),
        },
        strict,
      ),
    ),
    allowPrivate: Type.Optional(Texts),
    registries: Type.Optional(Texts),
    adopt: Type.Optional(Type.Record(ProjectName, Texts, { additionalProperties: false })),
    limits: Type.Optional(
      Type.Object(
        {
          memory: Type.Optional(Memory),
          cpus: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
          pids: Type.Optional(Type.Integer({ minimum: 1 })),
          shm: Type.Optional(Memory),
          idle: Type.Optional(Duration),
        },
        strict,
      ),
    ),
    trust: Type.Optional(Type.String({ pattern: '^/[^\\0\\n]{1,1000}$' })),
  },
  strict,
)

type PolicyFile = Static<typeof PolicyFile>

/** Unprivileged ports only, and none that would expose an engine, a proxy's admin API or an agent. */
const DEFAULTS: HostPolicy = {
  mode: 'enforce',
  ports: { from: 1024, to: 65_535, never: [2019, 2375, 2376, 2377, 7400, 7443] },
  allowPrivate: [],
  registries: [],
}

/**
 * What this host refuses whatever a manager says; the defaults when the file is absent, unless it was named. It belongs
 * to root or to the worker. Throws POLICY_INVALID.
 */
export function readPolicy(file: string, isNamed: boolean): HostPolicy {
  const facts = statSync(file, { throwIfNoEntry: false })
  if (!facts) {
    if (isNamed) {
      throw POLICY_INVALID(file, 'it does not exist')
    }
    return DEFAULTS
  }
  if ((facts.mode & 0o022) !== 0) {
    throw POLICY_INVALID(file, 'others than its owner may write it')
  }
  if (facts.uid !== 0 && facts.uid !== process.getuid?.()) {
    throw POLICY_INVALID(file, `it belongs to the user ${facts.uid}, neither to root nor to this worker`)
  }
  const { ports, limits, ...rest } = parsed(file)
  return {
    ...DEFAULTS,
    ...rest,
    ports: { ...DEFAULTS.ports, ...ports },
    ...(limits ? { limits: limitsOf(limits) } : {}),
  }
}

function limitsOf({ memory, cpus, pids, shm, idle }: NonNullable<PolicyFile['limits']>): SandboxLimits {
  const said = {
    ...{ cpus, pids },
    memoryBytes: memory === undefined ? undefined : bytes(memory),
    sharedMemoryBytes: shm === undefined ? undefined : bytes(shm),
    idle: idle === undefined ? undefined : Math.ceil(milliseconds(idle) / 1_000),
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

function parsed(file: string): PolicyFile {
  let value: unknown
  try {
    value = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 }) ?? {}
  } catch (error) {
    throw POLICY_INVALID(file, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
  }
  const problems = problemsOf(PolicyFile, value)
  const [first] = problems
  if (first) {
    const where = [first.path || 'the whole', first.message, first.expected].filter(Boolean).join(' ')
    throw POLICY_INVALID(file, where).with({ problems })
  }
  return value as PolicyFile
}
