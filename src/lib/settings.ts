import { join } from 'node:path'
import { CLIENT_SETTINGS } from './client-settings.ts'
import { DATABASE_SETTINGS } from './database-settings.ts'
import { DEPLOYER_SETTINGS } from './deployer-settings.ts'
import type { Problem } from './errors.ts'
import { nearest } from './nearest.ts'
import { NETWORK_SETTINGS } from './network-settings.ts'
import { NOTEBOOK_SETTINGS } from './notebook-settings.ts'
import { REGISTRY_SETTINGS } from './registry-settings.ts'
import type { Reader, Setting } from './setting.ts'
import { SYSTEM_SETTINGS } from './system-settings.ts'

export type { Reader, Setting } from './setting.ts'

/** Every environment variable that Fairlead reads: docs/running.md is made from it, and no other name is accepted. */
export const SETTINGS = [
  {
    name: 'FAIRLEAD_DATA',
    of: ['manager', 'worker', 'guardian', 'client'],
    means:
      'folder of everything that is kept on this machine: the manager in `manager/`, the worker in `worker/`, the guardian in `guardian/`, the proxy of `up` in `proxy/`, the first token in `admin-token`',
    default: '`$XDG_DATA_HOME/fairlead` or `~/.local/share/fairlead`; without a home `/var/lib/fairlead`',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_LISTEN',
    of: ['manager'],
    means: 'address of the API, host:port',
    default: '`127.0.0.1:7400`',
  },
  {
    name: 'FAIRLEAD_PUBLIC_URL',
    of: ['manager'],
    means: 'how Git hosts reach the API, for the webhook addresses it prints',
    default: 'the listen address',
  },
  {
    name: 'FAIRLEAD_BASE_DOMAIN',
    of: ['manager'],
    means: 'apps without a domain get `<app>.<base domain>`',
    default: '`localhost`',
  },
  {
    name: 'FAIRLEAD_ALLOW_PRIVATE',
    of: ['manager'],
    means:
      'private networks (CIDR, separated by commas) in which Git servers, and what else the manager asks or tells, may be; for Git the policy of the worker must allow them too',
    default: 'none',
  },
  {
    name: 'FAIRLEAD_GIT_HOSTS',
    of: ['manager'],
    means:
      'Git servers (names, separated by commas) of which every repository may be registered; besides them only organisations that were listed ([repositories.md](repositories.md))',
    default:
      '`github.com`, `gitlab.com`, `bitbucket.org`, `codeberg.org`, `gitea.com` and addresses in `FAIRLEAD_ALLOW_PRIVATE`; none as soon as an organisation is listed',
  },
  {
    name: 'FAIRLEAD_TRUSTED_PROXIES',
    of: ['manager'],
    means: 'networks whose `X-Forwarded-For` is believed',
    default: 'none',
  },
  {
    name: 'FAIRLEAD_ADMIN_TOKEN_FILE',
    of: ['manager'],
    means: 'file that the first token is written to, readable by its owner only, instead of into the log',
    default: 'with `up` `admin-token` in the data folder, else none: the log shows it once',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_CONCURRENCY',
    of: ['manager'],
    means: 'deployments at work at once on one host, 1 to 64',
    default: '`2`',
  },
  {
    name: 'FAIRLEAD_OBSERVE_SECONDS',
    of: ['manager'],
    means: 'how often each host is asked what really runs, 1 to 3600',
    default: '`60`',
  },
  {
    name: 'FAIRLEAD_DEADLINES',
    of: ['manager'],
    means:
      'when steps and deployments are given up, such as `build=45m,worker=10m`; "Deadlines" below has the names',
    default: 'see there',
  },
  {
    name: 'FAIRLEAD_KEEP_RELEASES',
    of: ['manager'],
    means: 'so many of the last releases of an app can always be gone back to, 1 to 100',
    default: '`5`',
  },
  {
    name: 'FAIRLEAD_PRUNE_HOURS',
    of: ['manager'],
    means:
      'every so many hours images and stopped containers of apps that nothing needs are deleted on every host, 0 to 8760 ([garbage-collection.md](garbage-collection.md))',
    default: '`0`: never',
  },
  {
    name: 'FAIRLEAD_TRACES_URL',
    of: ['manager'],
    means:
      'where each ended deployment is sent as a trace: the address of a receiver of OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces` ([monitoring.md](monitoring.md))',
    default: 'none: no traces',
  },
  {
    name: 'FAIRLEAD_TRACES_TOKEN_FILE',
    of: ['manager'],
    means: 'file with the token that the receiver of traces wants',
    default: 'none',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_MOST_UNATTENDED',
    of: ['manager'],
    means:
      'so many deployments of an app may start within ten minutes without a person before the app is paused, 0 to 1000 (0: any number)',
    default: '`20`',
  },
  ...REGISTRY_SETTINGS,
  {
    name: 'FAIRLEAD_WORKER_LISTEN',
    of: ['worker'],
    means: 'address that the manager connects to, host:port',
    default: '`127.0.0.1:7443`',
  },
  {
    name: 'FAIRLEAD_POLICY',
    of: ['worker'],
    means:
      'file with the policy of this host, which belongs to root or the worker and nobody else may write; a worker does not start without a file that is named here',
    default: '`worker/policy.yaml` in the data folder, if it is there',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_WORKER_NAME',
    of: ['worker'],
    means: 'name of the host in a new identity',
    default: 'the host name of the machine',
  },
  {
    name: 'FAIRLEAD_DOCKER_SOCKET',
    of: ['worker'],
    means: 'socket of the Docker engine',
    default: '`/var/run/docker.sock`',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_WORKER_ENGINES',
    of: ['worker'],
    means: 'file with further Docker engines that apps may choose ([engines.md](engines.md))',
    default: 'none: all apps are on the engine at `FAIRLEAD_DOCKER_SOCKET`',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_PROXY_ADMIN',
    of: ['worker'],
    means: 'origin of the admin API of Caddy, such as `http://127.0.0.1:2019`',
    default:
      'with `up` a Caddy that answers there, else one of its own; for a worker alone none: then no app on the host can have a route',
  },
  {
    name: 'FAIRLEAD_PROXY_HTTP_PORT',
    of: ['worker'],
    means: 'port on which that Caddy serves HTTP',
    default: '`80`; with `up` the one it finds or chooses',
  },
  {
    name: 'FAIRLEAD_PROXY_HTTPS_PORT',
    of: ['worker'],
    means: 'port on which that Caddy serves HTTPS',
    default: '`443`; with `up` the one it finds or chooses',
  },
  {
    name: 'FAIRLEAD_RESOLVER_PORT',
    of: ['worker'],
    means: 'port on 127.0.0.1 where Caddy asks the worker which container serves a name',
    default: 'ten above the port of `FAIRLEAD_WORKER_LISTEN`',
  },
  {
    name: 'FAIRLEAD_GATE_PORT',
    of: ['worker'],
    means: 'port on 127.0.0.1 where Caddy asks the worker whether a visitor of a guarded app may pass',
    default: 'twenty above the port of `FAIRLEAD_WORKER_LISTEN`',
  },
  ...DATABASE_SETTINGS,
  ...NETWORK_SETTINGS,
  ...SYSTEM_SETTINGS,
  ...CLIENT_SETTINGS,
  ...NOTEBOOK_SETTINGS,
  ...DEPLOYER_SETTINGS,
] as const satisfies readonly Setting[]

type NameOf<S, R> = S extends { name: infer N; of: readonly (infer O)[] } ? (R extends O ? N : never) : never

/** Names of the variables that one program reads. */
export type SettingName<R extends Reader = Reader> = NameOf<(typeof SETTINGS)[number], R>

export type Environment = Readonly<Record<string, string | undefined>>

export function settingsOf(reader: Reader): readonly Setting[] {
  return (SETTINGS as readonly Setting[]).filter(setting => setting.of.includes(reader))
}

/** Variables that look like settings of Fairlead and are none, each with the one that was probably meant; empty ones say nothing. */
export function unknownSettings(environment: Environment): Problem[] {
  const known = SETTINGS.map(({ name }) => name as string).filter(name => name.startsWith(PREFIX))
  return Object.keys(environment)
    .filter(name => name.startsWith(PREFIX) && !known.includes(name) && environment[name] !== '')
    .map(name => {
      const meant = nearest(
        name.slice(PREFIX.length),
        known.map(other => other.slice(PREFIX.length)),
      )
      return {
        path: name,
        message: `is no setting of Fairlead${meant === undefined ? '; docs/running.md lists all' : `; did you mean ${PREFIX}${meant}?`}`,
      }
    })
}

/** Where everything of this machine is kept. */
export function dataFolder(environment: Environment): string {
  const { FAIRLEAD_DATA, XDG_DATA_HOME, HOME } = environment
  if (FAIRLEAD_DATA) {
    return FAIRLEAD_DATA
  }
  return join(XDG_DATA_HOME || (HOME ? join(HOME, '.local/share') : '/var/lib'), 'fairlead')
}

const PREFIX = 'FAIRLEAD_'
