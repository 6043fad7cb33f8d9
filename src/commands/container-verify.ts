import { type Static, Type } from 'typebox'
import { defineCommand, type Hands } from './command.ts'
import { AppName, DeploymentId, ObservedContainer } from './container-data.ts'
import { CONTAINER_NOT_AS_PLANNED } from './container-errors.ts'
import { observe } from './container-observe.ts'

const strict = { additionalProperties: false } as const

const VerifyData = Type.Object(
  { app: AppName, deployment: DeploymentId, configHash: Type.String({ maxLength: 64 }) },
  strict,
)
const VerifyResult = Type.Object({ container: ObservedContainer }, strict)

export const containerVerify = defineCommand({
  name: 'container.verify',
  summary: 'Fails unless the container of a deployment runs as it was planned; else gives the evidence.',
  role: 'worker',
  looksOnly: true,
  data: VerifyData,
  result: VerifyResult,
  deadlineMs: 60_000,
  run: verify,
})

async function verify(hands: Hands, data: Static<typeof VerifyData>): Promise<Static<typeof VerifyResult>> {
  const { containers } = await observe(hands, { app: data.app })
  const container = containers.find(each => each.deployment === data.deployment)
  if (!container) {
    throw CONTAINER_NOT_AS_PLANNED(data.app, 'it is gone')
  }
  const fault = faultOf(container, data.configHash)
  if (fault) {
    throw CONTAINER_NOT_AS_PLANNED(container.name, fault).with({ facts: { container } })
  }
  return { container }
}

function faultOf(container: ObservedContainer, configHash: string): string | undefined {
  if (container.state !== 'running') {
    return `it is ${container.state}, exit code ${container.exitCode}`
  }
  if (container.restarts > 0) {
    return `it ended and was started again ${container.restarts} times`
  }
  if (container.health === 'unhealthy') {
    return 'its health check fails'
  }
  return container.configHash === configHash ? undefined : 'it was made from other settings'
}
