import type { Setting } from './setting.ts'

/** Where the manager keeps what it knows, if not in its folder; settings.ts has the rest. */
export const DATABASE_SETTINGS = [
  {
    name: 'FAIRLEAD_DATABASE_URL',
    of: ['manager'],
    means:
      'PostgreSQL database, `postgres://user:password@host:5432/name` or `postgres://user@/name?host=/run/postgresql` for a socket; a server on another machine has to show a certificate for its name, unless `?sslmode=disable` says that the network is safe ([database.md](database.md))',
    default: 'none: SQLite in the data folder',
    value: 'secret',
  },
  {
    name: 'FAIRLEAD_DATABASE_PASSWORD_FILE',
    of: ['manager'],
    means: 'file with the password, instead of writing it into the URL',
    default: 'none',
    value: 'path',
  },
  {
    name: 'FAIRLEAD_DATABASE_CA_FILE',
    of: ['manager'],
    means: 'certificate (PEM) of the authority that the certificate of the server comes from',
    default: "the system's authorities",
    value: 'path',
  },
  {
    name: 'FAIRLEAD_PEER_LISTEN',
    of: ['manager'],
    means:
      'address (host:port) for other managers on the same PostgreSQL database; with it this one may be one of several, and stands by while another leads, instead of being refused ([database.md](database.md))',
    default: 'none: it is the only manager',
  },
  {
    name: 'FAIRLEAD_PEER_ADDRESS',
    of: ['manager'],
    means: 'host:port where the other managers reach that address',
    default: '`FAIRLEAD_PEER_LISTEN`',
  },
  {
    name: 'FAIRLEAD_PEER_NAME',
    of: ['manager'],
    means: 'what this manager is called among several, in logs and errors',
    default: 'the host name of the machine',
  },
] as const satisfies readonly Setting[]
