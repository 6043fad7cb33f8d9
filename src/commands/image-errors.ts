import { defineError } from '#lib/errors.ts'

export const IMAGE_PATH_REFUSED = defineError({
  code: 'IMAGE_PATH_REFUSED',
  status: 422,
  retry: 'never',
  message: (path: string, why: string) => `"${path}" cannot be used for a build: ${why}.`,
  hint: () =>
    'Give "context" and "dockerfile" as paths of the repository, without "..", and let the Dockerfile lie inside the context.',
})

export const IMAGE_SOURCE_MISSING = defineError({
  code: 'IMAGE_SOURCE_MISSING',
  status: 422,
  retry: 'never',
  message: (path: string, commit: string) => `There is no "${path}" in commit ${commit.slice(0, 12)}.`,
  hint: () => 'Commit it, or name the right path as "dockerfile" or "context" in the deploy file.',
})

export const DOCKERFILE_REFUSED = defineError({
  code: 'DOCKERFILE_REFUSED',
  status: 422,
  retry: 'never',
  message: (dockerfile: string, first: string) =>
    `"${dockerfile}" asks for what this host does not allow: ${first}`,
  hint: () =>
    'Change the named lines and push again; the rules are in the policy file of the worker on this host.',
})

export const BASE_IMAGE_PULL_FAILED = defineError({
  code: 'BASE_IMAGE_PULL_FAILED',
  status: 422,
  retry: 'later',
  message: (reference: string, reason: string) => `The base image ${reference} cannot be fetched: ${reason}`,
  hint: (reference: string) =>
    `Check that ${reference} exists and that the registry's user may read it; then deploy again.`,
})

export const ENGINE_DISK_FULL = defineError({
  code: 'ENGINE_DISK_FULL',
  status: 507,
  retry: 'later',
  message: (doing: string) => `The disk of the Docker engine was full while ${doing}.`,
  hint: () =>
    'Free space on this host ("docker system df" shows what takes it, "docker builder prune" empties the build cache), then deploy again.',
})

export const IMAGE_NOT_FOUND = defineError({
  code: 'IMAGE_NOT_FOUND',
  status: 404,
  retry: 'later',
  message: (reference: string) => `The image ${reference} is not on this host.`,
  hint: () =>
    'Deploy again: the build step makes or fetches it. Someone may have deleted it in the meantime.',
})

export const IMAGE_GONE = defineError({
  code: 'IMAGE_GONE',
  status: 404,
  retry: 'never',
  message: (reference: string, registry: string) => `The registry ${registry} no longer has ${reference}.`,
  hint: () =>
    'Somebody deleted it there. Deploy the commit of the release instead: its image is then built again.',
})

export const IMAGE_REGISTRY_REFUSED = defineError({
  code: 'IMAGE_REGISTRY_REFUSED',
  status: 403,
  retry: 'never',
  message: (host: string) => `Images of the registry "${host}" may not run on this host.`,
  hint: (host: string) =>
    `Add "${host}" to the registries of the worker's policy file on this host, or use another registry.`,
})

export const REGISTRY_UNREACHABLE = defineError({
  code: 'REGISTRY_UNREACHABLE',
  status: 503,
  retry: 'later',
  message: (address: string, reason: string) => `The registry ${address} does not answer: ${reason}`,
  hint: (address: string) =>
    `Check that the registry runs and that this host reaches it ("curl https://${address}/v2/"); then deploy again. What ran before goes on running.`,
})

export const REGISTRY_CERTIFICATE_REFUSED = defineError({
  code: 'REGISTRY_CERTIFICATE_REFUSED',
  status: 502,
  retry: 'never',
  message: (address: string, reason: string) =>
    `The certificate of the registry ${address} is not trusted: ${reason}`,
  hint: (address: string) =>
    `Put the registry's certificate authority into /etc/docker/certs.d/${address}/ca.crt on this host and into the registry's settings.`,
})

export const REGISTRY_CREDENTIAL_REFUSED = defineError({
  code: 'REGISTRY_CREDENTIAL_REFUSED',
  status: 502,
  retry: 'never',
  message: (address: string) => `The registry ${address} does not accept the user name or password.`,
  hint: () =>
    'Correct the user name and password in the registry settings, then deploy again. What ran before goes on running.',
})

export const REGISTRY_DENIED = defineError({
  code: 'REGISTRY_DENIED',
  status: 502,
  retry: 'never',
  message: (address: string, repository: string) =>
    `The registry ${address} does not let this user write to "${repository}".`,
  hint: () => 'Give the user the right to push there, or set another "image_name" that it may push to.',
})

export const REGISTRY_DISK_FULL = defineError({
  code: 'REGISTRY_DISK_FULL',
  status: 507,
  retry: 'later',
  message: (address: string) => `The disk of the registry ${address} is full.`,
  hint: () =>
    'Delete old images there and run its garbage collection, or give it more disk; then deploy again. What ran before goes on running.',
})

export const REGISTRY_FAILED = defineError({
  code: 'REGISTRY_FAILED',
  status: 502,
  retry: 'later',
  message: (address: string, reason: string) => `The registry ${address} could not take the image: ${reason}`,
  hint: () => "Look at the registry's own log, mend it, then deploy again. What ran before goes on running.",
})

export const CONTENTS_UNREADABLE = defineError({
  code: 'CONTENTS_UNREADABLE',
  status: 502,
  retry: 'later',
  message: (reason: string) => `What is in the image cannot be read: ${reason}`,
  hint: () => 'The image itself is there and right. "sbom: false" for the app makes no bill of materials.',
})

export const ATTACH_FAILED = defineError({
  code: 'ATTACH_FAILED',
  status: 502,
  retry: 'later',
  message: (address: string, why: string) =>
    `The registry ${address} does not take what is said of an image: ${why}.`,
  hint: () =>
    'The image itself is there and right. If the registry takes no OCI artifacts, set "sbom: false" for the app.',
})
