import { Type } from 'typebox'
import { composeStack, STACK_STEPS } from '#programs/compose-stack.ts'
import { inspectContainer, listContainers } from '#programs/docker-containers.ts'
import { defineCommand, type Hands } from './command.ts'
import { ComposeContainer } from './compose-data.ts'
import { describeContainers } from './compose-observe.ts'
import { STACK_NOT_FOUND } from './stack-errors.ts'
import { hasOwnConfig, StackName, stackFolder } from './stack-folder.ts'
import { stackSecrets } from './stack-secrets.ts'

const strict = { additionalProperties: false } as const

const FOLDER_LABEL = 'com.docker.compose.project.working_dir'
const ONE_OFF_LABEL = 'com.docker.compose.oneoff=False'

export const stackCompose = defineCommand({
  name: 'stack.compose',
  summary: 'Does one step of the deployment of a stack: one Compose command in its folder.',
  role: 'worker',
  data: Type.Object({ stack: StackName, step: Type.Enum([...STACK_STEPS]) }, strict),
  result: Type.Object(
    {
      exitCode: Type.Integer(),
      /** Services that run; of the step `status`. */
      services: Type.Array(Type.String()),
      /** What is there after the steps `status` and `up`. */
      containers: Type.Array(ComposeContainer),
    },
    strict,
  ),
  deadlineMs: 15 * 60_000,
  lock: ({ stack }) => `stack:${stack}`,
  hides: (hands, { stack }) => stackSecrets(hands, stack),
  async run(hands, { stack, step }) {
    const folder = await stackFolder(hands, stack)
    if (folder === undefined) {
      throw STACK_NOT_FOUND(stack)
    }
    const { dockerSocket: socket, dockerHome: home } = hands.host
    const place = { folder, hasOwnConfig: await hasOwnConfig(hands, folder), socket, home }
    const { exitCode, stdout } = await hands.perform(composeStack(place, step))
    const isOk = exitCode === 0
    return {
      exitCode,
      services: isOk && step === 'status' ? stdout.split('\n').filter(line => line.trim() !== '') : [],
      containers: isOk && (step === 'status' || step === 'up') ? await containersOf(hands, folder) : [],
    }
  },
})

async function containersOf(hands: Hands, folder: string): Promise<ComposeContainer[]> {
  const { dockerSocket } = hands.host
  const ids = await hands.perform(listContainers(dockerSocket, [`${FOLDER_LABEL}=${folder}`, ONE_OFF_LABEL]))
  const facts = await Promise.all(ids.map(id => hands.perform(inspectContainer(dockerSocket, id))))
  return await describeContainers(
    hands,
    facts.flatMap(each => each ?? []),
  )
}
