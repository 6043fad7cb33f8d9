import { openRequests } from '#programs/caddy.ts'
import { REFRESH_MS } from '#programs/caddy-route.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import type { Hands } from './command.ts'

/** The proxy may send requests to the old address for a moment, and they may arrive a moment later. */
const AT_LEAST_MS = 10 * REFRESH_MS
const ASK_EVERY_MS = 2 * REFRESH_MS

/**
 * Gives requests time to end that are still being answered by containers which the proxy leads nobody to any more: all
 * of the time when it cannot be seen who asks them, and otherwise until nobody does.
 */
export async function drain(
  hands: Hands,
  containers: readonly ContainerFacts[],
  mostMs: number,
): Promise<void> {
  const running = containers.filter(each => each.state === 'running')
  if (mostMs === 0 || running.length === 0) {
    return
  }
  hands.say(`waiting up to ${mostMs / 1000} s for requests that are still being answered`, 'info')
  const until = hands.clock.monotonic() + mostMs
  const left = () => until - hands.clock.monotonic()
  await hands.clock.sleep(Math.min(AT_LEAST_MS, mostMs), hands.signal)
  while (left() > 0 && (await mayBeAsked(hands, running))) {
    await hands.clock.sleep(Math.min(ASK_EVERY_MS, left()), hands.signal)
  }
}

/** What the proxy does not reach is asked by others, of whom nothing is known. */
async function mayBeAsked(hands: Hands, containers: readonly ContainerFacts[]): Promise<boolean> {
  const { network, proxy, engine } = hands.host
  // On another engine all apps are behind the same addresses: who is asked cannot be told apart.
  const addresses = engine
    ? (engine.publish?.addresses ?? [''])
    : containers.map(each => each.addresses[network.name] ?? '')
  if (!proxy || addresses.includes('')) {
    return true
  }
  try {
    const open = await hands.perform(openRequests(proxy.adminOrigin))
    return open === undefined || addresses.some(address => (open.get(address) ?? 0) > 0)
  } catch {
    // Just reloading, or away: whoever is still served by it is given the time.
    hands.signal.throwIfAborted()
    return true
  }
}
