import type { FairleadError } from '#lib/errors.ts'

/** What the exit code of every command means; shown by --help. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notValid: 3,
  noAccess: 4,
  waiting: 5,
  configuration: 78,
} as const

export const EXIT_CODES_TEXT = `Exit codes:
  0   done
  1   failed: the deployment or the request did not succeed
  2   the command was not understood
  3   not valid: problems in a deploy file, settings or a plan
  4   the manager cannot be reached or does not accept the token
  5   the deployment waits for an approval
  78  the configuration of this machine is wrong`

const USAGE_CODES = [
  'USAGE',
  'NO_APP_NAMED',
  'NOT_AN_APP_NAME',
  'NOTHING_TO_SET',
  'FILE_NOT_READ',
  'FOLDER_NOT_READ',
  'FILE_EXISTS',
]
const CONFIGURATION = [
  'HOST_ELSEWHERE',
  'CONFIG_INVALID',
  'PART_DID_NOT_START',
  'PORT_IN_USE',
  'ADDRESS_NOT_USABLE',
  'SETTING_UNKNOWN',
  'PROXY_NOT_ANSWERING',
  'APP_NAME_IN_USE',
]

/** Which exit code an error ends a command with. */
export function exitCodeOf(error: FairleadError): number {
  if (USAGE_CODES.includes(error.code)) {
    return EXIT.usage
  }
  if (error.code === 'MANAGER_UNREACHABLE' || error.status === 401 || error.status === 403) {
    return EXIT.noAccess
  }
  if (CONFIGURATION.includes(error.code)) {
    return EXIT.configuration
  }
  return error.status === 422 ? EXIT.notValid : EXIT.failed
}
