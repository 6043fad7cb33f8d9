import type { Secret } from '#lib/secret.ts'

/** Where a PostgreSQL database is and who uses it, from `postgres://user:password@host:port/database`. */
export interface PostgresAddress {
  /** A folder, where the server listens on a socket in it. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly password: Secret | undefined
  /** Whether the server has to show a certificate for its name. */
  readonly tls: boolean
  /** PEM of the authority of that certificate, when it is not one of the system's. */
  readonly ca: string | undefined
}

export type PostgresPlace = Pick<PostgresAddress, 'host' | 'port' | 'user' | 'database' | 'tls'> & {
  readonly password: string | undefined
}

/** Undefined: it is no such URL. The password goes unprotected only to this machine, or where the URL says so. */
export function parsePostgresUrl(text: string): PostgresPlace | undefined {
  // Without a host, as other programs write it, for a socket.
  const url = URL.parse(text.replace(/^(postgres(?:ql)?:\/\/[^/?#]*@)\//, '$1localhost/'))
  if (!url || !/^postgres(?:ql)?:$/.test(url.protocol) || url.hash !== '') {
    return undefined
  }
  const { host: folder, port = url.port, sslmode, ...others } = Object.fromEntries(url.searchParams)
  const database = decoded(url.pathname.slice(1))
  const user = decoded(url.username)
  const password = decoded(url.password)
  const isKnown = Object.keys(others).length === 0 && /^(?:disable|verify-full)?$/.test(sslmode ?? '')
  const isPlaced =
    /^\d{0,5}$/.test(port) && (folder === undefined ? url.hostname !== '' : folder.startsWith('/'))
  if (!isKnown || !isPlaced || !user || !database || password === undefined || database.includes('/')) {
    return undefined
  }
  const host = folder ?? url.hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    host,
    port: port === '' ? 5432 : Number(port),
    user,
    database,
    password: password || undefined,
    tls: sslmode === undefined ? !isHere(host) : sslmode === 'verify-full',
  }
}

/** For messages: everything but the password. */
export function placeOf({ host, port, user, database }: Omit<PostgresAddress, 'password'>): string {
  return host.startsWith('/')
    ? `postgres://${user}@/${database}?host=${host}&port=${port}`
    : `postgres://${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
}

function isHere(host: string): boolean {
  return host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host)
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
