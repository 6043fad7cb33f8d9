import assert from 'node:assert/strict'
import type { ObservedContainer } from '#commands/container-data.ts'
import { commandNamed } from '#commands/index.ts'
import type { NotebookExamined } from '#commands/notebook-data.ts'
import { problemsOf } from '#lib/check.ts'
import { configHashOf } from './container-wants.ts'
import { notebookPlaces } from './notebook-place.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import { notebookWantsOf } from './notebook-wants.ts'
import type { Plan, PlanInput } from './target.ts'
import { aContainer, COMMIT, DIGEST } from './test-container.ts'

export type Input = PlanInput<NotebookTargetSettings>

export const ENVIRONMENT = `e-${'1'.repeat(24)}`
export const CONTENT = `t-${'2'.repeat(24)}`
export const REFERENCE = `fairlead/notebooks/p/churn:${CONTENT}`

/** What a worker says of the project, with changes. */
export function examined(changes: Partial<NotebookExamined> = {}): NotebookExamined {
  return {
    ...{ slug: 'churn', title: 'Churn', notebooks: ['analysis.ipynb'], entry: 'analysis.ipynb' },
    ...{ language: 'python', pack: 'pip', versions: {}, settings: {}, warnings: [], problems: [] },
    ...{ inputs: ['requirements.txt'], isAppendable: true, dockerfile: '' },
    environment: { key: ENVIRONMENT, reference: `fairlead/notebooks/env:${ENVIRONMENT}`, present: 'missing' },
    content: { key: CONTENT, reference: REFERENCE, registry: 'none' },
    ...changes,
  }
}

/** What the plan of a new notebook is made from, with changes. */
export function anInput(changes: Partial<Input> = {}, seen = examined()): Input {
  return {
    app: { name: 'churn', baseDomain: 'example.org' },
    settings: { folder: 'reports/churn' },
    deployment: '01990000-0000-7000-8000-00000000000b',
    source: { commit: COMMIT, branch: 'main', repository: 'r1', texts: {}, paths: [] },
    found: { examined: seen, containers: { containers: [] }, routes: { routes: { churn: null } } },
    registry: undefined,
    secrets: {},
    previous: undefined,
    ...changes,
  }
}

/** Every command of a plan is one of a worker and accepts its data. */
export function assertTellable(plan: Plan): void {
  const filled = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (key, each) =>
      each?.$result === undefined
        ? each
        : ({ ip: '10.1.0.17', container: { id: 'f'.repeat(64), name: 'c', startedAt: '', restarts: 0 } }[
            each.field as string
          ] ??
          { how: 'built', imageId: DIGEST, digest: DIGEST }[key] ??
          'host/name:t-1'),
    )
  for (const tell of Object.values(plan).flatMap(list => (Array.isArray(list) ? list : []))) {
    if ('command' in tell) {
      assert.deepEqual(problemsOf(commandNamed(tell.command).data, filled(tell.data)), [], tell.command)
    }
  }
}

/** The same after it was deployed. */
export function settled(input: Input): Input {
  const wants = notebookWantsOf(input)
  const container: ObservedContainer = aContainer({
    configHash: configHashOf(wants, REFERENCE),
    name: 'churn-1',
  })
  const { ip, deployment } = container
  const { hosts, prefix } = notebookPlaces(input.settings, input.app, input.notebooks)
  const places = { hosts, ...(prefix === undefined ? {} : { prefix }) }
  const route = { ...places, port: 8888, ip, deployment, guard: { isOurs: true } }
  const { content } = examined()
  const seen = examined(content ? { content: { ...content, localImageId: DIGEST } } : {})
  return {
    ...input,
    found: { examined: seen, containers: { containers: [container] }, routes: { routes: { churn: route } } },
  }
}
