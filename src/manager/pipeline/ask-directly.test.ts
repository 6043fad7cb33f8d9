import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import type { TellOptions } from '#manager/agents/tell.ts'
import { askDirectly } from './plan-app.ts'
import type { PipelineParts } from './step.ts'

test('what is asked outside of a deployment is a preview where a command keeps something, and says for whom it is', async () => {
  const told: TellOptions[] = []
  const tell = async (_host: string, options: TellOptions) => {
    told.push(options)
    return {}
  }
  const owner = { app: 'shop', repository: 'acme' }
  const ask = askDirectly({ agents: { tell } } as unknown as PipelineParts, 'box', { engine: 'far', owner })
  for (const command of ['compose.render', 'swarm.render', 'image.list']) {
    await ask({ key: 'x', command, data: {} })
  }
  deepEqual(
    told.map(({ params }) => params),
    [{ preview: true }, { preview: true }, {}],
  )
  deepEqual(
    told.map(each => [each.engine, each.owner]),
    told.map(() => ['far', owner]),
  )
})
