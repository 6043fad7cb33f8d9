/** A request that carries the route's token here is told which upstream answered; Caddy keeps it from the app. */
export const PROBE_HEADER = 'X-Fairlead-Probe'
export const UPSTREAM_HEADER = 'X-Fairlead-Upstream'
