import { join, resolve } from 'node:path'
import { NAME, ownName, SettingReader } from '#agent/setting-reader.ts'
import type { Bounds } from '#firewall/bounds.ts'
import { dataFolder, type Environment, type SettingName } from '#lib/settings.ts'
import { readBounds } from './bounds-file.ts'
import { GUARDIAN_CONFIG_INVALID } from './errors.ts'

export interface GuardianConfig {
  /** `guardian` in the data folder of the machine: identity, pins, journal, rules. */
  readonly data: string
  readonly listen: { readonly host: string; readonly port: number }
  /** Name in a new identity; an existing identity keeps its own. */
  readonly name: string
  readonly boundsFile: string
  readonly bounds: Bounds
  /** How often the rules are compared with those that were put there. */
  readonly lookEveryMs: number
  /** What another start of this program needs to read the same configuration. */
  readonly environment: Readonly<Record<string, string>>
}

const MOST_SECONDS = 3_600

/** The configuration from the environment and the bounds file. Throws GUARDIAN_CONFIG_INVALID with every problem, or BOUNDS_INVALID. */
export function readGuardianConfig(environment: Environment = process.env): GuardianConfig {
  const reader = new SettingReader<SettingName<'guardian'>>(environment)
  const folder = resolve(dataFolder(environment))
  const listen = reader.address('FAIRLEAD_GUARDIAN_LISTEN', '127.0.0.1:7444')
  const boundsFile = resolve(reader.text('FAIRLEAD_GUARDIAN_BOUNDS', '/etc/fairlead/guardian.yaml'))
  const seconds = Number(reader.text('FAIRLEAD_GUARDIAN_LOOK_SECONDS', '10'))
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MOST_SECONDS) {
    reader.refuse('FAIRLEAD_GUARDIAN_LOOK_SECONDS', `is not a whole number from 1 to ${MOST_SECONDS}`)
  }
  const name = reader.matching('FAIRLEAD_GUARDIAN_NAME', {
    pattern: NAME,
    fallback: ownName('guardian', '-guardian'),
  })
  reader.finish(GUARDIAN_CONFIG_INVALID)
  return {
    ...{ listen, boundsFile, name },
    data: join(folder, 'guardian'),
    bounds: readBounds(boundsFile, listen.port),
    lookEveryMs: seconds * 1_000,
    environment: {
      FAIRLEAD_DATA: folder,
      FAIRLEAD_GUARDIAN_LISTEN: environment.FAIRLEAD_GUARDIAN_LISTEN ?? '',
      FAIRLEAD_GUARDIAN_BOUNDS: boundsFile,
    },
  }
}
