import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { RenderHash } from './compose-data.ts'
import { COMPOSE_RENDER_GONE } from './compose-errors.ts'
import { StackName, StackRender } from './swarm-data.ts'
import { describeStack, fileOf, wishesOf } from './swarm-model.ts'
import { refuseForbiddenStack } from './swarm-policy.ts'
import { readStack } from './swarm-shelves.ts'

const strict = { additionalProperties: false } as const

export const swarmRecall = defineCommand({
  name: 'swarm.recall',
  summary: 'Tells what an earlier release of a stack is made of, if this host kept it.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({ stack: StackName, render: RenderHash }, strict),
  result: Type.Object({ release: Type.Optional(StackRender) }, strict),
  deadlineMs: 60_000,
  async run(hands, { stack, render }) {
    const model = await readStack(hands, stack, render).catch(error => {
      if (!COMPOSE_RENDER_GONE.matches(error)) {
        throw error
      }
    })
    if (!model) {
      return {}
    }
    await refuseForbiddenStack(hands, stack, { hash: render, model })
    const labels = new Map(wishesOf(model).map(each => [each.name, each.configHash]))
    const services = Object.entries(describeStack(fileOf(model), {})).map(([name, service]) => [
      name,
      // What the service carries: the hash as it was before it had its image.
      { ...service, hash: labels.get(name) ?? service.hash },
    ])
    return {
      release: { render, services: Object.fromEntries(services), findings: [], warnings: [] },
    }
  },
})
