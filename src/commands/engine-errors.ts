import { defineError } from '#lib/errors.ts'

export const ENGINE_UNKNOWN = defineError({
  code: 'ENGINE_UNKNOWN',
  status: 422,
  retry: 'never',
  message: (wanted: string, host: string, known: readonly string[]) =>
    `The host "${host}" has no engine ${wanted}; it has ${known.join(', ')}.`,
  hint: () =>
    'Correct "engine" of the app ("fairlead hosts" lists names and labels), or add the engine to the file of engines on that host (docs/engines.md).',
})

export const ENGINE_NOT_FOR_APP = defineError({
  code: 'ENGINE_NOT_FOR_APP',
  status: 403,
  retry: 'never',
  message: (engine: string, who: string) => `The engine "${engine}" may not be used by ${who}.`,
  hint: () =>
    'Choose another engine, or add the app to "apps" and its repository to "repositories" of that engine on the host (docs/engines.md).',
})

export const ENGINE_FOR_SOME = defineError({
  code: 'ENGINE_FOR_SOME',
  status: 403,
  retry: 'never',
  message: (engine: string, command: string) =>
    `The engine "${engine}" serves only some apps, and ${command} is for none of them.`,
  hint: () =>
    'Take "apps" and "repositories" of that engine out of the file of engines on the host, or do it by hand there (docs/engines.md).',
})

export const ENGINE_TOO_OLD = defineError({
  code: 'ENGINE_TOO_OLD',
  status: 422,
  retry: 'never',
  message: (engine: string, version: string, least: string) =>
    `The engine "${engine}" is Docker ${version}; at least ${least} is needed.`,
  hint: () => 'Bring a newer Docker Engine to its machine, or choose another engine for the app.',
})

export const ENGINE_HAS_DATA = defineError({
  code: 'ENGINE_HAS_DATA',
  status: 409,
  retry: 'never',
  message: (app: string, engine: string, volumes: readonly string[]) =>
    `"${app}" has volumes on the engine "${engine}" (${volumes.join(', ')}), which do not move with it.`,
  hint: (_app: string, engine: string) =>
    `Set "engine" back to "${engine}". To move all the same, carry the data over, remove these volumes there, and deploy again (docs/engines.md).`,
})

export const ENGINE_IS_THE_SAME = defineError({
  code: 'ENGINE_IS_THE_SAME',
  status: 409,
  retry: 'never',
  message: (to: string, from: string) =>
    `The engines "${to}" and "${from}" of this host are the same Docker Engine.`,
  hint: () => 'Name each engine once in the file of engines on that host (docs/engines.md).',
})

export const ENGINE_SAME_SWARM = defineError({
  code: 'ENGINE_SAME_SWARM',
  status: 409,
  retry: 'never',
  message: (app: string, to: string, from: string) =>
    `The engines "${to}" and "${from}" manage the same swarm, so the stack of "${app}" cannot move from one to the other.`,
  hint: (_app: string, _to: string, from: string) =>
    `Set "engine" back to "${from}": the swarm runs its tasks on every node. Where they run is said by "placement" in the Compose file.`,
})

export const ENGINE_NOT_PUBLISHED = defineError({
  code: 'ENGINE_NOT_PUBLISHED',
  status: 422,
  retry: 'never',
  message: (engine: string, what: string) =>
    `The engine "${engine}" has no "publish", so nothing reaches its containers, which ${what} needs.`,
  hint: () =>
    'Add "publish" with an address of that machine to the engine in the file of engines (docs/engines.md), or do without domains and "health.http".',
})

export const ENGINE_HAS_NO_FILES = defineError({
  code: 'ENGINE_HAS_NO_FILES',
  status: 422,
  retry: 'never',
  message: (engine: string, paths: readonly string[]) =>
    `The engine "${engine}" is another machine, where the files of the repository that services mount are not: ${paths.join(', ')}.`,
  hint: () =>
    'Copy these files into the image with its Dockerfile and hand over values with "environment", or let the app run on the engine "local".',
})

export const ENGINE_HAS_NO_ROUTES = defineError({
  code: 'ENGINE_HAS_NO_ROUTES',
  status: 422,
  retry: 'never',
  message: (engine: string, services: readonly string[]) =>
    `Services of a Compose app on the engine "${engine}" cannot have routes: ${services.join(', ')}.`,
  hint: () =>
    'Publish their ports with "ports" in the Compose file and set "routes: []" for the app, or describe the service as an app of its own with the target "container".',
})
