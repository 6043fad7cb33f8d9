import { containerUsage } from '#commands/container-usage.ts'
import { imagePrune } from '#commands/image.ts'
import { swarmDown, swarmLogs, swarmObserve, swarmRecall, swarmRender } from '#commands/swarm.ts'
import type { StackRender } from '#commands/swarm-data.ts'
import { contentTells } from './built-images.ts'
import { followedWith } from './followed-tags.ts'
import { refuseFiles } from './refuse-files.ts'
import { RELEASE_RENDER_GONE } from './release-errors.ts'
import { decideStack } from './stack-decision.ts'
import { planStack, verifyTell } from './stack-plan.ts'
import { claimsOf, readStackRelease, releasedStack, stackImagesOf } from './stack-release.ts'
import { StackSettings } from './stack-settings.ts'
import { stackFilesOf, stackWantsOf } from './stack-wants.ts'
import {
  defineTarget,
  filesOf,
  type LookInput,
  type ReleaseFacts,
  type Target,
  type Tell,
  tell,
} from './target.ts'

export const stack: Target = defineTarget({
  name: 'stack',
  summary: 'Runs the services of Compose files in a Docker swarm of one or several machines.',
  settings: StackSettings,
  // Compose files alone do not say that they are meant for a swarm.
  detect: () => undefined,
  reads: stackFilesOf,
  // The proxy leads to containers of its own machine only.
  domains: () => [],
  images: stackImagesOf,
  follows: release => {
    const { followed, images } = readStackRelease(release)
    return followedWith(followed, images)
  },
  logs: swarmLogs.name,
  usage: containerUsage.name,
  settle: settings => settings,
  look,
  plan: planStack,
  claims: ({ content }) => claimsOf(content),
  stop: app => [tell('end', swarmDown, { app: app.name, volumes: 'keep', moved: true })],
  remove: ({ app, volumes, moved }) => [
    tell('down', swarmDown, { app: app.name, volumes, ...(moved ? { moved } : {}) }),
    tell('images', imagePrune, { app: app.name, keep: [], keepLast: 0 }),
  ],
})

/** First the stack and the swarm; then built services' images by content; then whether it answers. */
function look(input: LookInput<StackSettings>): readonly Tell[] {
  const { app, source, found, goal } = input
  const wants = stackWantsOf(input)
  const swarm = tell('swarm', swarmObserve, { app: app.name, stack: wants.stack })
  if (goal) {
    return [swarm, ...goalTells(input, goal)]
  }
  const render = tell('render', swarmRender, {
    app: app.name,
    stack: wants.stack,
    ...filesOf(source),
    files: [...wants.files],
    variables: { ...wants.variables },
    secrets: { ...wants.secrets },
  })
  if (!found.render || !found.swarm) {
    const names = Object.keys({ ...wants.variables, ...wants.secrets })
    const { rules } = input
    refuseFiles({
      ...{ files: wants.files, texts: source.texts, project: wants.stack },
      ...{ variables: names, rules, isStack: true },
    })
    return [swarm, render]
  }
  const { services } = found.render as StackRender
  const images = contentTells({ app, source, services, registry: wants.registry })
  const isComplete = images.every(({ key }) => key in found)
  return [swarm, render, ...images, ...(isComplete ? proofTells(input) : [])]
}

/** What the host kept of the release: its images are pinned, so that the swarm fetches the same ones again. */
function goalTells(input: LookInput<StackSettings>, goal: ReleaseFacts): Tell[] {
  const { app, found } = input
  const { stack: name, stackRender } = readStackRelease(goal)
  const isGone = found.recalled !== undefined && !(found.recalled as { release?: StackRender }).release
  if (name === undefined || typeof stackRender !== 'string' || isGone) {
    throw RELEASE_RENDER_GONE(app.name, goal.commit)
  }
  const recall = tell('recalled', swarmRecall, { stack: name, render: stackRender })
  return [recall, ...(found.recalled && found.swarm ? proofTells(input) : [])]
}

/** Before "nothing to do" is said, the asked port is asked again. */
function proofTells(input: LookInput<StackSettings>): readonly Tell[] {
  const decision = decideStack(input)
  const render = releasedStack(input.previous, decision.wants.stack)
  return decision.mustApply || !decision.asked || render === undefined
    ? []
    : [{ ...verifyTell(decision, render), key: 'answers' }]
}
