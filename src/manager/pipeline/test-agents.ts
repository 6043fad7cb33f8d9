import type { Agents } from '#manager/agents/agents.ts'
import { COMMAND_LOST } from '#manager/agents/errors.ts'
import type { TellOptions } from '#manager/agents/tell.ts'

/** Answers commands by name; an answer may wait or throw. */
export type Answers = Record<string, (params: Record<string, unknown>, options: TellOptions) => unknown>

export interface FakeAgents extends Agents {
  /** Names of the commands told, in order. */
  readonly told: string[]
  /** Ids of commands that were followed and not told. */
  readonly resumed: string[]
  /** Those of them that were only followed to be ended. */
  readonly ended: string[]
  answers: Answers
  /** The command ended while nobody listened. */
  finish(id: string, result: unknown): void
}

/** Stands for all workers: records what they are told and answers from a table. Knows ids like the real ones do. */
export function createFakeAgents(answers: Answers): FakeAgents {
  const finished = new Map<string, unknown>()
  const fake: FakeAgents = {
    told: [],
    resumed: [],
    ended: [],
    answers,
    async tell(_host, options) {
      fake.told.push(options.command)
      const answer = fake.answers[options.command]
      if (!answer) {
        throw new Error(`the fake worker has no answer for ${options.command}`)
      }
      const result = await answer(options.params as Record<string, unknown>, options)
      finished.set(options.id, result)
      return result
    },
    finish: (id, result) => void finished.set(id, result),
    async resume(host, { id, signal }) {
      fake.resumed.push(id)
      if (signal?.aborted) {
        fake.ended.push(id)
      }
      if (!finished.has(id)) {
        throw COMMAND_LOST(host)
      }
      return finished.get(id)
    },
    state: () => undefined,
    refresh: async () => {},
    rekey: async () => 'f'.repeat(64),
    reconnect: async () => {},
    close: async () => {},
  }
  return fake
}

const TAG = `t-${'1'.repeat(32)}`

/** A worker on which everything works: one container app with a Dockerfile, no registry, nothing running before. */
export function workingAnswers(): Answers {
  return {
    'repository.checkout': () => ({
      commit: 'c'.repeat(40),
      tree: 'd'.repeat(40),
      subject: 'Say hello',
      author: 'Ada',
      paths: ['Dockerfile'],
      links: [],
      texts: { Dockerfile: 'FROM scratch\nEXPOSE 8080\n' },
    }),
    'image.content': () => ({
      images: [{ key: 'shop', tag: TAG, reference: `fairlead/shop:${TAG}`, registry: 'none' }],
    }),
    'container.observe': () => ({ containers: [] }),
    'route.observe': () => ({ routes: {} }),
    'image.build': () => ({ imageId: `sha256:${'e'.repeat(64)}`, built: true, source: 'build' }),
    'container.start': params => started(params),
    'container.verify': params => started(params),
    'route.remove': () => ({ removed: true }),
    'route.point': () => ({
      switched: true,
      previous: null,
      answers: [{ host: 'shop.localhost', status: 200, ms: 1 }],
    }),
    'container.remove': () => ({ removed: [] }),
    'image.prune': () => ({ removed: [] }),
    'repository.forget': () => ({ removed: [] }),
  }
}

function started(params: Record<string, unknown>) {
  return {
    containerId: 'f'.repeat(64),
    name: 'shop-1',
    ip: '10.213.0.17',
    imageId: `sha256:${'e'.repeat(64)}`,
    health: 'healthy',
    deployment: params.deployment,
    startedAt: '2026-11-20T12:00:00Z',
  }
}
