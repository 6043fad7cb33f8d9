import { FairleadError } from '#lib/errors.ts'
import type { Engine } from './call.ts'
import { cut } from './cut.ts'
import {
  ENGINE_BROKE_OFF,
  ENGINE_DENIED,
  ENGINE_REFUSED_CLIENT,
  ENGINE_UNREACHABLE,
  ENGINE_UNTRUSTED,
} from './errors.ts'
import { systemCode } from './file-error.ts'
import { shownEngine } from './shown.ts'

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ENOTDIR',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** What went wrong on the way to an engine, as an error of the catalogue. */
export function engineError(error: unknown, engine: Engine, request: string): FairleadError {
  if (error instanceof FairleadError) {
    return error
  }
  return kindOf(systemCode(error), shownEngine(engine), request).with({ cause: error })
}

function kindOf(code: string | undefined, engine: string, request: string): FairleadError {
  if (code === undefined) {
    return ENGINE_BROKE_OFF(request, 'unknown reason')
  }
  if (UNREACHABLE.has(code)) {
    return ENGINE_UNREACHABLE(engine, code)
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return ENGINE_DENIED(engine)
  }
  if (/^ERR_SSL_.*(?:ALERT|CERTIFICATE_REQUIRED)/.test(code)) {
    return ENGINE_REFUSED_CLIENT(engine, code)
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/.test(code)) {
    return ENGINE_UNTRUSTED(engine, code)
  }
  return ENGINE_BROKE_OFF(request, code)
}

/** The reason in an answer that refuses: Docker's, the registry's or Caddy's form, otherwise its text. */
export function saidBy(text: string, json: unknown): string {
  const { message, error, errors } = (json ?? {}) as Record<string, unknown>
  const first = Array.isArray(errors)
    ? (errors[0] as { message?: unknown; code?: unknown } | undefined)
    : undefined
  const said = [message, error, first?.message, first?.code].find(
    each => typeof each === 'string' && each !== '',
  )
  return cut(typeof said === 'string' ? said : text.trim() || 'no reason given', 2_000)
}
