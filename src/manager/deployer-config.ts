import { Secret } from '#lib/secret.ts'
import type { EnvironmentReader } from './environment.ts'
import type { Deadlines } from './pipeline/deadlines.ts'

/** Of the signed endpoint. */
export interface DeployerConfig {
  readonly secret: Secret
  /** The weakest signature that is taken. */
  readonly minScheme: 'v1' | 'v2'
  /** So long after a deployment of a stack begins the next one that a v1 signature asks for. */
  readonly minIntervalMs: number
  readonly perMinute: number
}

const STEP_TIMEOUTS = {
  status: 'STATUS_TIMEOUT',
  config: 'CONFIG_TIMEOUT',
  pull: 'PULL_TIMEOUT',
  up: 'UP_TIMEOUT',
} as const

/** Undefined: there is no secret, and so no such endpoint. A secret that is set and empty is a mistake. */
export function readDeployer(reader: EnvironmentReader): DeployerConfig | undefined {
  const scheme = reader.matching('DEPLOY_MIN_SCHEME', /^v[12]$/, 'v1 or v2')
  const minInterval = reader.whole('DEPLOY_MIN_INTERVAL', { from: 0, to: 3600, or: 30 })
  const perMinute = reader.whole('RATE_LIMIT_PER_MIN', { from: 1, to: 100_000, or: 10 })
  const secret = readSecret(reader)
  if (secret === undefined) {
    return undefined
  }
  return {
    secret: new Secret(secret),
    minScheme: scheme === 'v2' ? 'v2' : 'v1',
    minIntervalMs: minInterval * 1000,
    perMinute,
  }
}

/** Deadlines of the steps of a stack, where they are set. */
export function readStepTimeouts(reader: EnvironmentReader): Deadlines {
  const set = Object.entries(STEP_TIMEOUTS).flatMap(([step, name]) =>
    reader.text(name) === undefined
      ? []
      : [[step, reader.whole(name, { from: 1, to: 86_400, or: 1 }) * 1000] as const],
  )
  return Object.fromEntries(set)
}

function readSecret(reader: EnvironmentReader): string | undefined {
  const given = reader.given('DEPLOY_SECRET')
  const fromFile = reader.file('DEPLOY_SECRET_FILE')?.replace(/\r?\n$/, '')
  if (given !== undefined && fromFile !== undefined) {
    reader.refuse('DEPLOY_SECRET_FILE', 'is given together with DEPLOY_SECRET', 'only one of both')
  }
  for (const [name, value] of [
    ['DEPLOY_SECRET', given] as const,
    ['DEPLOY_SECRET_FILE', fromFile] as const,
  ]) {
    if (value?.trim() === '') {
      reader.refuse(name, 'is empty', 'a secret, such as "openssl rand -hex 32" prints; or do not set it')
    }
  }
  return given ?? fromFile
}
