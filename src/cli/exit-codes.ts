import type { FairleadError } from '#lib/errors.ts'

/** What the exit code of every command means; shown by --help. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notValid: 3,
  unreachable: 4,
  waiting: 5,
  refused: 6,
  notEnded: 7,
  stopped: 8,
  configuration: 78,
} as const

export const EXIT_CODES_TEXT = `Exit codes:
  0   done
  1   failed: the deployment or the request did not succeed
  2   the command was not understood
  3   not valid: problems in a deploy file, settings or a plan
  4   the manager cannot be reached
  5   the deployment waits for a person: for an approval, or its app is paused
  6   refused: the manager does not accept the token, or the token does not allow it
  7   the deployment had not ended within --timeout; it goes on
  8   the deployment was cancelled, or superseded by a newer one
  78  the configuration of this machine is wrong`

const USAGE_CODES = [
  'USAGE',
  'NO_APP_NAMED',
  'NOT_AN_APP_NAME',
  'NOTHING_TO_SET',
  'FILE_NOT_READ',
  'FOLDER_NOT_READ',
  'TRUST_NOT_UNDERSTOOD',
  'FILE_EXISTS',
]
const CONFIGURATION = [
  'HOST_ELSEWHERE',
  'CONFIG_INVALID',
  'DATA_UNWRITABLE',
  'PART_DID_NOT_START',
  'PORT_IN_USE',
  'ADDRESS_NOT_USABLE',
  'SETTING_UNKNOWN',
  'SETTING_MISSING',
  'PROXY_NOT_ANSWERING',
  'APP_NAME_IN_USE',
]

/** Which exit code a deployment that has ended ends a command with. */
export function exitCodeOfEnd({ state }: { readonly state: string }): number {
  if (state === 'cancelled' || state === 'superseded') {
    return EXIT.stopped
  }
  return state === 'succeeded' ? EXIT.ok : EXIT.failed
}

/** Which exit code an error ends a command with. */
export function exitCodeOf(error: FairleadError): number {
  if (USAGE_CODES.includes(error.code)) {
    return EXIT.usage
  }
  if (error.code === 'MANAGER_UNREACHABLE') {
    return EXIT.unreachable
  }
  if (error.status === 401 || error.status === 403) {
    return EXIT.refused
  }
  if (error.code === 'NOT_ENDED_IN_TIME') {
    return EXIT.notEnded
  }
  if (CONFIGURATION.includes(error.code)) {
    return EXIT.configuration
  }
  return error.status === 422 ? EXIT.notValid : EXIT.failed
}
