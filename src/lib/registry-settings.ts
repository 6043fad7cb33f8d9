import type { Setting } from './setting.ts'

/** Where images are pushed to; settings.ts has the rest. */
export const REGISTRY_SETTINGS = [
  {
    name: 'FAIRLEAD_REGISTRY',
    of: ['manager'],
    means: 'host:port of the registry that built images are pushed to',
    default: 'none: images stay on the host',
  },
  {
    name: 'FAIRLEAD_REGISTRY_USERNAME',
    of: ['manager'],
    means: 'its user name',
    default: 'none',
  },
  {
    name: 'FAIRLEAD_REGISTRY_PASSWORD',
    of: ['manager'],
    means: 'its password; better in a file',
    default: 'none',
    value: 'secret',
  },
  {
    name: 'FAIRLEAD_REGISTRY_PASSWORD_FILE',
    of: ['manager'],
    means: 'file with its password, instead of the variable',
    default: 'none',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_REGISTRY_CA_FILE',
    of: ['manager'],
    means: 'certificate (PEM) of the authority that its certificate comes from',
    default: "the system's authorities",
    value: 'path',
  },
] as const satisfies readonly Setting[]
