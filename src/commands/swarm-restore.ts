import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { RenderHash } from './compose-data.ts'
import { AppName } from './container-data.ts'
import { bringStackUp } from './swarm-bring-up.ts'
import { StackName, SwarmServiceData } from './swarm-data.ts'
import { StackStart } from './swarm-deploy.ts'
import { takeStackDown } from './swarm-down.ts'
import { refuseForbiddenStack } from './swarm-policy.ts'
import { requireManager } from './swarm-reach.ts'
import { readStack } from './swarm-shelves.ts'
import { tidyStack } from './swarm-tidy.ts'

const strict = { additionalProperties: false } as const

export const swarmRestore = defineCommand({
  name: 'swarm.restore',
  summary:
    'Brings the previous release of a stack back, or takes the stack out of the swarm when there was none. Volumes stay.',
  role: 'worker',
  data: Type.Object(
    { app: AppName, stack: StackName, render: Type.Union([RenderHash, Type.Null()]), ...StackStart },
    strict,
  ),
  result: Type.Object({ services: Type.Array(SwarmServiceData) }, strict),
  deadlineMs: 60 * 60_000,
  lock: data => `swarm:${data.stack}`,
  async run(hands, data) {
    const { app, stack, render: hash } = data
    await requireManager(hands)
    if (hash === null) {
      await takeStackDown(hands, { app, stack })
      return { services: [] }
    }
    const model = await readStack(hands, stack, hash)
    await refuseForbiddenStack(hands, stack, { hash, model })
    const services = await bringStackUp(hands, { ...data, model, hash })
    await tidyStack(hands, stack, model)
    hands.say(`the stack ${stack} is back at its previous release`, 'info')
    return { services }
  },
})
