import { Secret } from '#lib/secret.ts'
import type { EnvironmentReader } from './environment.ts'
import { type PostgresAddress, parsePostgresUrl } from './store/postgres-address.ts'

/** Undefined: the database is a file in the data folder. What is refused is not shown: it holds a password. */
export function readDatabase(reader: EnvironmentReader): PostgresAddress | undefined {
  const url = reader.text('FAIRLEAD_DATABASE_URL')
  const fromFile = reader.file('FAIRLEAD_DATABASE_PASSWORD_FILE')?.trim()
  const ca = reader.file('FAIRLEAD_DATABASE_CA_FILE')
  if (url === undefined) {
    return undefined
  }
  const place = parsePostgresUrl(url)
  if (!place) {
    const expected =
      'postgres://user:password@host:5432/name, with no other option than sslmode=verify-full, sslmode=disable, host=/folder of a socket and port'
    return reader.refuse('FAIRLEAD_DATABASE_URL', 'is no address of a PostgreSQL database', expected)
  }
  if (place.password !== undefined && fromFile !== undefined) {
    return reader.refuse(
      'FAIRLEAD_DATABASE_PASSWORD_FILE',
      'is given together with a password in FAIRLEAD_DATABASE_URL',
      'only one of both',
    )
  }
  const password = fromFile ?? place.password
  return { ...place, password: password === undefined ? undefined : new Secret(password), ca }
}
