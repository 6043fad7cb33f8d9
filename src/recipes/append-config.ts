import type { Stage } from './recipe.ts'

/** What is added to an image without a build: one layer, and what is set when it is there. */
export interface Addition {
  /** Digest of the layer, uncompressed. */
  readonly diffId: string
  readonly folder: string
  readonly labels: Readonly<Record<string, string>>
  readonly stage: Stage
  readonly createdMs: number
}

/** The configuration of an image with one more layer; undefined when it is none that we know. */
export function appendedConfig(config: unknown, addition: Addition): string | undefined {
  const { config: run, rootfs, history, ...rest } = (config ?? {}) as RawConfig
  if (!Array.isArray(rootfs?.diff_ids)) {
    return undefined
  }
  const created = new Date(addition.createdMs).toISOString()
  const step = { created, created_by: `COPY . ${addition.folder}` }
  return JSON.stringify({
    ...rest,
    created,
    config: {
      ...run,
      WorkingDir: addition.folder,
      Env: environmentOf(run?.Env ?? [], addition.stage),
      Labels: { ...run?.Labels, ...addition.labels },
    },
    rootfs: { ...rootfs, diff_ids: [...rootfs.diff_ids, addition.diffId] },
    history: [...(history ?? []), step],
  })
}

/** As the builder does for ENV. */
function environmentOf(before: readonly string[], { variables, lateVariables, path }: Stage): string[] {
  const values = new Map(
    before.map(each => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
  )
  for (const [name, value] of sorted(variables)) {
    values.set(name, value)
  }
  if (path.length > 0) {
    values.set('PATH', [...path, values.get('PATH')].filter(each => each !== undefined).join(':'))
  }
  for (const [name, value] of sorted(lateVariables)) {
    values.set(name, value)
  }
  return [...values].map(([name, value]) => `${name}=${value}`)
}

function sorted(variables: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1))
}

interface RawConfig {
  readonly config?: { readonly Env?: readonly string[]; readonly Labels?: Readonly<Record<string, string>> }
  readonly rootfs?: { readonly diff_ids?: readonly string[] }
  readonly history?: readonly unknown[]
}
