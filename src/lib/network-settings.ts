import type { Setting } from './setting.ts'

/** What agents are told of the networks of their host; settings.ts has the rest. */
export const NETWORK_SETTINGS = [
  {
    name: 'FAIRLEAD_NETWORK',
    of: ['worker'],
    means: 'name of the Docker network in which Caddy reaches containers',
    default: '`fairlead`',
  },
  {
    name: 'FAIRLEAD_SUBNET',
    of: ['worker'],
    means: 'its IPv4 subnet; each routed app or service holds two addresses of it',
    default: '`10.213.0.0/16`',
  },
  {
    name: 'FAIRLEAD_GUARDIAN_LISTEN',
    of: ['guardian'],
    means: 'address that the manager connects to, host:port; its port stays open whatever is wanted',
    default: '`127.0.0.1:7444`',
  },
  {
    name: 'FAIRLEAD_GUARDIAN_NAME',
    of: ['guardian'],
    means: 'name of the guardian in a new identity',
    default: 'the host name of the machine and `-guardian`',
  },
  {
    name: 'FAIRLEAD_GUARDIAN_BOUNDS',
    of: ['guardian'],
    means: 'file in which the owner of the host says what may be opened at all ([firewall.md](firewall.md))',
    default: '`/etc/fairlead/guardian.yaml`; without it the defaults in that page',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_GUARDIAN_LOOK_SECONDS',
    of: ['guardian'],
    means: 'how often the rules are compared with those that were put there, and put right, 1 to 3600',
    default: '`10`',
  },
] as const satisfies readonly Setting[]
