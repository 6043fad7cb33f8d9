import { Secret } from '#lib/secret.ts'
import type { EnvironmentReader } from '#manager/environment.ts'

export interface TracesConfig {
  /** Takes OTLP over HTTP, as JSON. */
  readonly url: string
  /** Shown to it as a bearer token. */
  readonly token: Secret | undefined
}

/** Undefined: no traces are sent. */
export function readTraces(reader: EnvironmentReader): TracesConfig | undefined {
  const given = reader.text('FAIRLEAD_TRACES_URL')
  const token = reader.file('FAIRLEAD_TRACES_TOKEN_FILE')?.trim()
  if (given === undefined) {
    return undefined
  }
  const url = URL.parse(given)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    const expected = 'an address such as http://127.0.0.1:4318/v1/traces, without a password'
    return reader.refuse('FAIRLEAD_TRACES_URL', 'is no address of HTTP', expected)
  }
  return { url: url.href, token: token ? new Secret(token) : undefined }
}
