import { revealed, Secret } from '#lib/secret.ts'
import type { Call, Engine, EngineRequest, FileCall, ProgramCall } from './call.ts'

/** A call as one readable line without secrets: for errors, logs and the recorder. */
export function shown(call: Call<unknown>): string {
  switch (call.kind) {
    case 'program':
    case 'detached':
      return shownProgram(call)
    case 'request':
      return shownRequest(call)
    case 'image-build':
      return `build ${call.dockerfile} in ${typeof call.context === 'string' ? call.context : `${call.context.length} files`}`
    case 'file':
      return shownFile(call)
    case 'lookup':
      return `lookup ${call.host}`
    case 'greeting':
      return `greeting of ${call.host}:${call.port}`
    case 'archive':
      return `${call.operation} ${call.file}`
    case 'terminal':
      return `terminal of ${call.engine.kind}`
  }
}

/** An engine as people call it: `docker` with its socket, or where it is. */
export function shownEngine(engine: Engine): string {
  if (engine.kind === 'http') {
    return engine.origin
  }
  if (engine.kind === 'incus') {
    return `incus (${engine.socket})`
  }
  return engine.tls ? `the engine at ${engine.socket}` : `docker (${engine.socket})`
}

/** Every secret that a call carries, as text. */
export function secretsOf(call: Call<unknown>): string[] {
  return secretsIn(valuesOf(call)).map(revealed)
}

function shownProgram(call: Pick<ProgramCall<unknown>, 'program' | 'args'>): string {
  return [call.program, ...call.args.map(String).map(quoted)].join(' ')
}

function shownRequest({ engine, method, path, query }: EngineRequest<unknown>): string {
  const where = engine.kind === 'http' ? `${engine.origin}${path}` : `${engine.kind} ${path}`
  return `${method} ${where}${queryText(query)}`
}

function shownFile(call: FileCall<unknown>): string {
  return `${call.operation} ${call.path}${'to' in call ? ` -> ${call.to}` : ''}`
}

/** `?a=b`, or nothing; keys without a value are left out. */
export function queryText(query: EngineRequest<unknown>['query']): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined) {
      search.append(key, String(value))
    }
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

function quoted(arg: string): string {
  return /^[^\s'"]+$/.test(arg) ? arg : JSON.stringify(arg)
}

function valuesOf(call: Call<unknown>): unknown[] {
  switch (call.kind) {
    case 'program':
      return [call.args, call.env, call.input, call.files]
    case 'detached':
      return [call.args, call.env]
    case 'request':
      return [call.headers, call.engine]
    case 'image-build':
      return [call.secrets, call.registries, call.tls]
    case 'file':
    case 'lookup':
    case 'greeting':
    case 'terminal':
      return []
    case 'archive':
      return call.operation === 'bring' ? [call.identity] : []
  }
}

function secretsIn(value: unknown): Secret[] {
  if (value instanceof Secret) {
    return [value]
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : []
}
