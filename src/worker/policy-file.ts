import { readFileSync, statSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import { parse } from 'yaml'
import type { HostPolicy } from '#commands/command.ts'
import { problemsOf } from '#lib/check.ts'
import { POLICY_INVALID } from './errors.ts'

const strict = { additionalProperties: false } as const
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
const Texts = Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { maxItems: 1_000 })

/** Every key may be left out. */
const PolicyFile = Type.Object(
  {
    mode: Type.Optional(Type.Union([Type.Literal('enforce'), Type.Literal('trusted')])),
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
    trust: Type.Optional(Type.String({ pattern: '^/[^\\0\\n]{1,1000}$' })),
  },
  strict,
)

/** Unprivileged ports only, and none that would expose an engine, a proxy's admin API or an agent. */
const DEFAULTS: HostPolicy = {
  mode: 'enforce',
  ports: { from: 1024, to: 65_535, never: [2019, 2375, 2376, 2377, 7400, 7443] },
  allowPrivate: [],
  registries: [],
}

/** What this host refuses whatever a manager says; the defaults when the file is absent. Throws POLICY_INVALID. */
export function readPolicy(file: string): HostPolicy {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode
  if (mode === undefined) {
    return DEFAULTS
  }
  if ((mode & 0o022) !== 0) {
    throw POLICY_INVALID(file, 'others than its owner may write it')
  }
  const { ports, ...rest } = parsed(file)
  return { ...DEFAULTS, ...rest, ports: { ...DEFAULTS.ports, ...ports } }
}

function parsed(file: string): Static<typeof PolicyFile> {
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
  return value as Static<typeof PolicyFile>
}
