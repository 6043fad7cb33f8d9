import type { Setting } from './setting.ts'

/** Of the signed endpoint and the stacks that it deploys: named as in the deployer whose place it can take. */
export const DEPLOYER_SETTINGS = [
  {
    name: 'DEPLOY_SECRET',
    of: ['manager'],
    means:
      'signs calls of `POST /deploy/{stack}` ([deployer.md](deployer.md)); set and empty: the manager does not start',
    default: 'none: there is no such address',
    value: 'secret',
    empty: 'refused',
  },
  {
    name: 'DEPLOY_SECRET_FILE',
    of: ['manager'],
    means: 'file with it, instead of the variable',
    default: 'none',
    value: 'path',
  },
  {
    name: 'DEPLOY_MIN_SCHEME',
    of: ['manager'],
    means: '`v2`: only calls that are signed with time and request id are taken',
    default: '`v1`',
  },
  {
    name: 'DEPLOY_MIN_INTERVAL',
    of: ['manager'],
    means:
      'so many seconds after a deployment of a stack begins the next one that a v1 signature asks for, 0 to 3600',
    default: '`30`',
  },
  {
    name: 'RATE_LIMIT_PER_MIN',
    of: ['manager'],
    means: 'calls of `/deploy` that are taken from one address in a minute, 1 to 100000',
    default: '`10`',
  },
  {
    name: 'STATUS_TIMEOUT',
    of: ['manager'],
    means: 'seconds that the step `status` of a stack may take, 1 to 86400',
    default: '`60`',
  },
  {
    name: 'CONFIG_TIMEOUT',
    of: ['manager'],
    means: 'the same for its step `config`',
    default: '`120`',
  },
  {
    name: 'PULL_TIMEOUT',
    of: ['manager'],
    means: 'the same for its step `pull`',
    default: '`600`',
  },
  {
    name: 'UP_TIMEOUT',
    of: ['manager'],
    means: 'the same for its step `up`',
    default: '`600`',
  },
  {
    name: 'STACKS_ROOT',
    of: ['worker'],
    means:
      'folder with a folder of Compose files for each stack ([deployer.md](deployer.md)); set and not there: the worker does not start',
    default: 'none: this host has no stacks',
    value: 'path',
    empty: 'refused',
  },
] as const satisfies readonly Setting[]
