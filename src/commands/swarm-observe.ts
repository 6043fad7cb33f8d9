import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { AppName } from './container-data.ts'
import { openFingerprints } from './host-key.ts'
import { StackName, SwarmNodeData, SwarmServiceData } from './swarm-data.ts'
import { ownServices, requireManager, swarmNodes } from './swarm-reach.ts'
import { describeSeen, seeServices } from './swarm-seen.ts'

const strict = { additionalProperties: false } as const

export const swarmObserve = defineCommand({
  name: 'swarm.observe',
  summary:
    'Tells which services a stack has in the swarm that this host manages, how they are, and which nodes there are.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({ app: AppName, stack: StackName }, strict),
  result: Type.Object({ nodes: Type.Array(SwarmNodeData), services: Type.Array(SwarmServiceData) }, strict),
  deadlineMs: 60_000,
  async run(hands, data) {
    await requireManager(hands)
    const [nodes, services, fingerprints] = await Promise.all([
      swarmNodes(hands),
      ownServices(hands, data),
      openFingerprints(hands),
    ])
    const seen = await seeServices(hands, data.stack, services)
    return {
      nodes: nodes.map(({ name, state, availability }) => ({ name, state, availability })),
      services: seen
        .map(each => describeSeen(each, { stack: data.stack, nodes, fingerprints }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    }
  },
})
