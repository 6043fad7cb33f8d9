import { defineError } from '#lib/errors.ts'

export const NO_PROXY = defineError({
  code: 'NO_PROXY',
  status: 409,
  retry: 'never',
  message: (host: string) => `The host "${host}" has no proxy, so nothing on it can have an address.`,
  hint: () =>
    "Install Caddy on that host and name its admin address in the worker's configuration, or take the routes out of the app.",
})

export const NO_GATE = defineError({
  code: 'NO_GATE',
  status: 409,
  retry: 'never',
  message: (host: string) => `The host "${host}" cannot tell who its visitors are.`,
  hint: () => 'Bring the worker of that host up to date and start it anew.',
})

export const NAME_NOT_ROUTED = defineError({
  code: 'NAME_NOT_ROUTED',
  status: 409,
  retry: 'never',
  message: (name: string) => `"${name}" has no address on its host yet.`,
  hint: (name: string) => `Deploy it first: fairlead deploy ${name} --wait`,
})

export const NAME_OPEN = defineError({
  code: 'NAME_OPEN',
  status: 409,
  retry: 'never',
  message: (name: string, _where: string) => `"${name}" is open to everybody, so it needs no link.`,
  hint: (_, where) => `Visit ${where}`,
})

export const PROXY_UNREACHABLE = defineError({
  code: 'PROXY_UNREACHABLE',
  status: 503,
  retry: 'later',
  message: (origin: string) => `The proxy's admin API at ${origin} does not answer.`,
  hint: (origin: string) =>
    `Look on that host whether Caddy runs ("systemctl status caddy") and answers ("curl ${origin}/config/"); apps that are routed already do not need it.`,
})

export const PROXY_REFUSED = defineError({
  code: 'PROXY_REFUSED',
  status: 502,
  retry: 'never',
  message: (reason: string) => `The proxy refused its new configuration and keeps the old one: ${reason}`,
  hint: () =>
    'Correct what the proxy names. If it is nothing of yours, another program changes the same Caddy; look into its log.',
})

export const DOMAIN_TAKEN = defineError({
  code: 'DOMAIN_TAKEN',
  status: 409,
  retry: 'never',
  message: (host: string) => `The host name "${host}" already leads to another app.`,
  hint: (host: string) =>
    `Choose another domain, or take "${host}" away from the app that has it and deploy that app first.`,
})

export const ROUTE_REFUSED = defineError({
  code: 'ROUTE_REFUSED',
  status: 403,
  retry: 'never',
  message: (ip: string, subnet: string) =>
    `The proxy may not lead to ${ip}: routed containers live in ${subnet}.`,
  hint: () =>
    'Put the container into the network of routed containers; the worker leads visitors nowhere else.',
})

export const ROUTE_NOT_ANSWERING = defineError({
  code: 'ROUTE_NOT_ANSWERING',
  status: 502,
  retry: 'never',
  message: (url: string, what: string) => `${url} does not answer as it should: ${what}`,
  hint: () =>
    'Visitors were sent back to what served before. Check that the app listens on the routed port on all addresses (0.0.0.0) and answers the verified path; its log is on the app page.',
})
