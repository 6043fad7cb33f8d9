import { defineError } from '#lib/errors.ts'

export const REGISTRY_NOT_SERVING = defineError({
  code: 'REGISTRY_NOT_SERVING',
  status: 502,
  retry: 'later',
  message: (app: string, why: string) => `The registry "${app}" does not serve: ${why}.`,
  hint: (app: string) =>
    `"fairlead logs" shows what its container printed. Look at its certificate, its port and its image, then "fairlead deploy ${app}".`,
})

export const REGISTRY_IMAGE_MISSING = defineError({
  code: 'REGISTRY_IMAGE_MISSING',
  status: 422,
  retry: 'never',
  message: (image: string, why: string) =>
    `The image ${image} for the registry is not on this host and cannot be fetched: ${why}.`,
  hint: () =>
    'Let the host reach the registry that has it, load it by hand ("docker load"), or name another one with "fairlead registry up --image".',
})

export const COLLECT_FAILED = defineError({
  code: 'COLLECT_FAILED',
  status: 502,
  retry: 'later',
  message: (app: string, why: string) => `The layers of the registry "${app}" were not cleaned up: ${why}`,
  hint: () =>
    'The registry serves again and nothing that is needed was deleted. "fairlead registry collect" tries again.',
})

export const ENGINE_WITHOUT_TRUST = defineError({
  code: 'ENGINE_WITHOUT_TRUST',
  status: 502,
  retry: 'later',
  message: (engine: string, address: string, words: string) =>
    `The engine "${engine}" cannot log in at ${address}: ${words}`,
  hint: (_engine: string, address: string) =>
    `Where it is the certificate that it does not know: put what "fairlead registry certificate" prints into /etc/docker/certs.d/${address}/ca.crt on the machine of that engine.`,
})

export const TRUST_REFUSED = defineError({
  code: 'TRUST_REFUSED',
  status: 403,
  retry: 'never',
  message: (host: string, _address: string) =>
    `The policy of the worker on "${host}" lets no manager say which registries its engine trusts.`,
  hint: (_host: string, address: string) =>
    `Put the certificate into /etc/docker/certs.d/${address}/ca.crt there yourself ("fairlead registry certificate" prints it), or set "trust: /etc/docker/certs.d" in the worker's policy.yaml and start the worker again.`,
})
