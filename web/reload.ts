import type { Router } from 'vue-router'

const RELOADED_AT = 'fairlead-reloaded-at'
/** One that does not come again right after that will not come at all: then the page stays as it is. */
const ONCE_WITHIN_MS = 15_000
const AFTER_ROUTER_MS = 100

/**
 * Loads the page anew, where the person wanted to go, when a part of it did not come: the connection was cut, or the manager
 * has been upgraded since and its files have other names.
 */
export function reloadWhenPartsAreMissing(router: Router): void {
  router.onError((_, to) => reloadOnce(to.fullPath))
  window.addEventListener('vite:preloadError', () => {
    // A part of a page rather than a page: of those the router has told by then.
    setTimeout(() => reloadOnce(location.href), AFTER_ROUTER_MS)
  })
}

function reloadOnce(address: string): void {
  const last = Number(sessionStorage.getItem(RELOADED_AT) ?? 0)
  if (Date.now() - last > ONCE_WITHIN_MS) {
    sessionStorage.setItem(RELOADED_AT, String(Date.now()))
    location.assign(address)
  }
}
