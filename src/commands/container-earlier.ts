import { asFairleadError } from '#lib/errors.ts'
import { type ContainerFacts, removeContainer, stopContainer } from '#programs/docker-containers.ts'
import { isAnyKernelBusy, notebookStatus } from '#programs/notebook-server.ts'
import type { EarlierTarget, Hands } from './command.ts'
import { LABEL, SLEEP_LABEL } from './container-data.ts'
import { containersOf } from './container-siblings.ts'
import { askedServer, isOpen, secondsIn } from './container-sleep.ts'
import { forgetToken } from './container-token.ts'

/** So long an earlier container is there beside what serves, whatever computes in it. */
const LONGEST_MS = 24 * 3_600_000
/** Without work, where it would never sleep. */
const IDLE_MS = 2 * 3_600_000
const MOST_KEPT = 3

const WHY = { computes: 'a kernel computes', open: 'somebody works with it' } as const
type Use = keyof typeof WHY | 'unused'

/**
 * Of the containers those that served before and that people still work with: they go on for whoever came then. One that
 * computes before one that is merely open, and only so many: each has the memory of a whole server.
 */
export async function keepUsed(
  hands: Hands,
  app: string,
  containers: readonly ContainerFacts[],
): Promise<readonly ContainerFacts[]> {
  const used: { target: EarlierTarget; facts: ContainerFacts; use: keyof typeof WHY }[] = []
  for (const target of hands.host.switchboard.earlier.of(app)) {
    const facts = containers.find(isOf(target))
    const use = facts ? await useOf(hands, facts, { ...target, app }) : 'unused'
    if (facts && use !== 'unused') {
      used.push({ target, facts, use })
    }
  }
  const rank = ({ use }: { readonly use: Use }) => (use === 'computes' ? 1 : 0)
  const chosen = used
    .toSorted((a, b) => rank(b) - rank(a) || b.target.since - a.target.since)
    .slice(0, MOST_KEPT)
  const kept: ContainerFacts[] = []
  for (const { target, facts, use } of chosen) {
    if (target.state === 'kept' || (await keep(hands, app, { target, facts, use }))) {
      kept.push(facts)
    }
  }
  return kept
}

/** Whether it goes on after its deployment, and is no concern of later ones. */
export function isKept({ host }: Hands, app: string, facts: ContainerFacts): boolean {
  return host.switchboard.earlier.of(app).some(each => each.state === 'kept' && isOf(each)(facts))
}

/** Nobody is led to these any more (ending), or they are gone. */
export async function markEnded(
  { host }: Hands,
  app: string,
  containers: readonly ContainerFacts[],
  state: 'ending' | undefined,
): Promise<void> {
  for (const { labels } of containers) {
    await host.switchboard.earlier.mark(app, labels[LABEL.deployment] ?? '', state)
  }
}

/** Removes what did not get to serve, or served before and is used by nobody. */
export async function removeLeftover(hands: Hands, app: string, leftover: ContainerFacts): Promise<void> {
  hands.say(`removing ${leftover.name}: an earlier deployment left it behind`, 'info')
  await markEnded(hands, app, [leftover], 'ending')
  await hands.perform(removeContainer(hands.host.dockerSocket, leftover.id))
  await markEnded(hands, app, [leftover], undefined)
}

/** Ends what was kept and nobody works with any more, and what a killed worker had begun to end. */
export async function endUnused(hands: Hands): Promise<void> {
  const { dockerSocket, switchboard } = hands.host
  for (const target of switchboard.earlier.all()) {
    const { name: app, deployment, state, since } = target
    const isAtWork = state === 'held' && hands.clock.now() - since <= LONGEST_MS
    const facts = (await containersOf(hands, app)).find(isOf(target))
    const isUsed = state !== 'ending' && facts && (await useOf(hands, facts, { ...target, app })) !== 'unused'
    if (isAtWork || isUsed) {
      continue
    }
    await switchboard.earlier.mark(app, deployment, 'ending')
    if (facts) {
      await hands.perform(stopContainer(dockerSocket, facts.id))
      await hands.perform(removeContainer(dockerSocket, facts.id))
      hands.say(`${facts.name} was kept for who worked with it, and is removed`, 'info')
    }
    await forgetToken(hands, { app, deployment })
    await switchboard.earlier.mark(app, deployment, undefined)
  }
}

interface Used {
  readonly target: EarlierTarget
  readonly facts: ContainerFacts
  readonly use: keyof typeof WHY
}

async function keep(hands: Hands, app: string, { target, facts, use }: Used): Promise<boolean> {
  try {
    await hands.host.switchboard.earlier.mark(app, target.deployment, 'kept')
  } catch (error) {
    hands.say(`${facts.name} cannot be kept: ${asFairleadError(error).message}`, 'stderr')
    return false
  }
  const until = new Date(endOf(facts, target)).toISOString()
  hands.say(
    `${facts.name} goes on beside the new version, because ${WHY[use]}: who came before stays with it until nobody works with it, at most until ${until}`,
    'info',
  )
  return true
}

function isOf({ deployment }: Pick<EarlierTarget, 'deployment'>): (facts: ContainerFacts) => boolean {
  return ({ labels }) => labels[LABEL.deployment] === deployment
}

/** When it ends, whatever it does then. */
function endOf(facts: ContainerFacts, { since }: Pick<EarlierTarget, 'since'>): number {
  const mostMs = secondsIn(facts, SLEEP_LABEL.most) * 1_000
  const longest = since + LONGEST_MS
  return mostMs > 0 ? Math.min(longest, Date.parse(facts.startedAt) + mostMs) : longest
}

async function useOf(
  hands: Hands,
  facts: ContainerFacts,
  target: EarlierTarget & { readonly app: string },
): Promise<Use> {
  const now = hands.clock.now()
  if (facts.state !== 'running' || now > endOf(facts, target)) {
    return 'unused'
  }
  try {
    const server = await askedServer(hands, facts, target)
    if (await hands.perform(isAnyKernelBusy(server))) {
      return 'computes'
    }
    const status = await hands.perform(notebookStatus(server))
    if (status) {
      const idleMs = secondsIn(facts, SLEEP_LABEL.idle) * 1_000 || IDLE_MS
      return status.connections > 0 || (status.kernels > 0 && now - status.lastAt < idleMs)
        ? 'open'
        : 'unused'
    }
  } catch (error) {
    hands.signal.throwIfAborted()
    hands.say(`${facts.name} does not say who works with it: ${asFairleadError(error).message}`, 'stderr')
  }
  return (await isOpen(hands, target.ip)) ? 'open' : 'unused'
}
