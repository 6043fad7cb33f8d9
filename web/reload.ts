import type { Router } from 'vue-router'

const RELOADED_AT = 'fairlead-reloaded-at'
/** One that does not come again right after that will not come at all: then the page stays as it is. */
const ONCE_WITHIN_MS = 15_000
const LOOK_EVERY_MS = 1_000

/**
 * Loads everything anew, where the person wanted to go, when a page did not come: the connection was cut, or the manager has
 * been upgraded since and its files have other names. While the manager is away the page that is there stays.
 */
export function reloadWhenPagesAreMissing(router: Router): void {
  router.onError(async (_, to) => {
    const last = Number(sessionStorage.getItem(RELOADED_AT) ?? 0)
    if (Date.now() - last <= ONCE_WITHIN_MS) {
      return
    }
    while (!(await isThere())) {
      await new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS))
    }
    sessionStorage.setItem(RELOADED_AT, String(Date.now()))
    // To go to an address that differs in its fragment alone loads nothing.
    history.replaceState(history.state, '', to.fullPath)
    location.reload()
  })
}

async function isThere(): Promise<boolean> {
  return await fetch('/health/live').then(
    ({ ok }) => ok,
    () => false,
  )
}
