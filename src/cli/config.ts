import { join, resolve } from 'node:path'
import { dataFolder, type Environment, SETTINGS, type Setting } from '#lib/settings.ts'
import { loginFileOf } from './login-file.ts'

export const CI_SYSTEMS = ['github', 'gitlab'] as const
export type CiSystem = (typeof CI_SYSTEMS)[number]

/** What the CI job in which the command runs gives it. */
export interface CiJob {
  readonly system: CiSystem
  /** Files of GitHub Actions that later steps and the page of the run are made from. */
  readonly outputFile: string | undefined
  readonly summaryFile: string | undefined
}

/** How a job of a CI system says who it is, without a stored secret. */
export type IdTokenSource =
  | { readonly kind: 'given'; readonly token: string }
  /** GitHub Actions hands a token out for each audience. */
  | { readonly kind: 'github'; readonly url: string; readonly bearer: string; readonly audience: string }

/** Where the command line finds its manager, and where `up` keeps its parts. The CLI's only reader of the environment. */
export interface CliConfig {
  readonly managerUrl: string
  readonly token: string | undefined
  readonly tokenFile: string | undefined
  /** Nobody named the file: its token is for nobody but the manager that gave it. */
  readonly isOwnToken: boolean
  /** What `fairlead login` keeps; undefined where another token was named. */
  readonly loginFile: string | undefined
  /** Tried when there is neither a token nor a file with one. */
  readonly idToken: IdTokenSource | undefined
  /** Everything that is kept on this machine. */
  readonly dataFolder: string
  /** Undefined where no CI system that is known runs the command. */
  readonly ci: CiJob | undefined
  /** What was set, without empty values where those count as none; paths are absolute, and FAIRLEAD_DATA is always there. */
  readonly environment: Readonly<Record<string, string>>
}

/** An option wins over its variable. */
export function readCliConfig(
  options: { manager?: string; tokenFile?: string; data?: string } = {},
  environment: Environment = process.env,
): CliConfig {
  const folder = resolve(options.data ?? dataFolder(environment))
  const { FAIRLEAD_DATA: _, ...others } = environment
  const read: Record<string, string> = { ...withAbsolutePaths(others), FAIRLEAD_DATA: folder }
  const manager = options.manager ?? read.FAIRLEAD_MANAGER ?? 'http://127.0.0.1:7400'
  const managerUrl = manager.replace(/\/+$/, '')
  // A job that was given a token of its own does not take the one of the machine that it runs on.
  const givenFile = options.tokenFile ?? read.FAIRLEAD_TOKEN_FILE
  const usualFile = read.FAIRLEAD_ID_TOKEN === undefined ? join(folder, 'admin-token') : undefined
  return {
    managerUrl,
    token: read.FAIRLEAD_TOKEN,
    tokenFile: givenFile ?? usualFile,
    isOwnToken: givenFile === undefined,
    loginFile:
      givenFile === undefined && usualFile !== undefined ? loginFileOf(folder, managerUrl) : undefined,
    idToken: readIdTokenSource(read, managerUrl),
    dataFolder: folder,
    ci: readCiJob(read),
    environment: read,
  }
}

function readIdTokenSource(
  environment: Readonly<Record<string, string>>,
  managerUrl: string,
): IdTokenSource | undefined {
  const { FAIRLEAD_ID_TOKEN: token, FAIRLEAD_AUDIENCE: audience = managerUrl } = environment
  if (token !== undefined) {
    return { kind: 'given', token }
  }
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = environment
  return url === undefined || bearer === undefined ? undefined : { kind: 'github', url, bearer, audience }
}

function readCiJob(environment: Readonly<Record<string, string>>): CiJob | undefined {
  if (environment.GITHUB_ACTIONS === 'true') {
    const { GITHUB_OUTPUT: outputFile, GITHUB_STEP_SUMMARY: summaryFile } = environment
    return { system: 'github', outputFile, summaryFile }
  }
  return environment.GITLAB_CI === 'true'
    ? { system: 'gitlab', outputFile: undefined, summaryFile: undefined }
    : undefined
}

/** The parts work in folders of their own, where a relative path would mean another file. */
function withAbsolutePaths(environment: Environment): Record<string, string> {
  const settings = new Map((SETTINGS as readonly Setting[]).map(setting => [setting.name, setting]))
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => {
      const setting = settings.get(name)
      if (!value) {
        // For the part to refuse: whoever set it meant something.
        return value === '' && setting?.empty === 'refused' ? [[name, value]] : []
      }
      return [[name, setting?.value === 'path' ? resolve(value) : value]]
    }),
  )
}
