import { hostname } from 'node:os'
import type { Setting } from './setting.ts'

/** Named as in the notebook orchestrator whose place it can take (docs/notebooks.md). Without AUTH_TOKEN none of them counts. */
export const ORCHESTRATOR_SETTINGS = [
  {
    name: 'AUTH_TOKEN',
    of: ['manager'],
    means:
      'what a CI job sends as bearer token to `POST /notify`, and is good for nothing else ([notebooks.md](notebooks.md)); set and empty: the manager does not start',
    default: 'none: there is no such address, and the next three are not looked at',
    value: 'secret',
    empty: 'refused',
  },
  {
    name: 'HOSTNAME',
    of: ['manager'],
    means:
      'with `AUTH_TOKEN`: in place of `FAIRLEAD_BASE_DOMAIN` where that is not set. What the machine calls itself, as shells and containers set it, is never taken',
    default: 'none',
  },
  {
    name: 'REGISTRY_USERNAME',
    of: ['manager'],
    means:
      'with `AUTH_TOKEN`: in place of `FAIRLEAD_REGISTRY_USERNAME` where neither that nor its password is set',
    default: 'none',
  },
  {
    name: 'REGISTRY_PASSWORD',
    of: ['manager'],
    means: 'the password that belongs to it',
    default: 'none',
    value: 'secret',
  },
] as const satisfies readonly Setting[]

/** What HOSTNAME says where somebody has said it: every shell and every container sets it to the name of the machine. */
export function hostnameForApps(
  environment: Readonly<Record<string, string | undefined>>,
  machine = hostname(),
): string | undefined {
  const { AUTH_TOKEN: token, HOSTNAME: name } = environment
  return token && name && name !== machine ? name : undefined
}
