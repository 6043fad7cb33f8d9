/** For every server of the manager: a client that sends a byte a second holds a socket no longer than this. */
export const SERVER_TIMES = {
  requestTimeout: 10_000,
  headersTimeout: 5000,
  connectionsCheckingInterval: 1000,
}
