import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the command line finds its manager, and where `up` keeps its parts. The CLI's only reader of the environment. */
export interface CliConfig {
  readonly managerUrl: string
  readonly token: string | undefined
  readonly tokenFile: string | undefined
  readonly dataFolder: string
  /** Inherited by the parts that `up` starts. */
  readonly environment: Readonly<Record<string, string>>
}

export function readCliConfig(
  options: { manager?: string; tokenFile?: string; data?: string } = {},
): CliConfig {
  const environment = process.env
  const dataFolder =
    options.data ??
    environment.FAIRLEAD_DATA ??
    join(environment.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'fairlead')
  return {
    managerUrl: (options.manager ?? environment.FAIRLEAD_MANAGER ?? 'http://127.0.0.1:7400').replace(
      /\/+$/,
      '',
    ),
    token: environment.FAIRLEAD_TOKEN,
    tokenFile: options.tokenFile ?? environment.FAIRLEAD_TOKEN_FILE ?? join(dataFolder, 'admin-token'),
    dataFolder,
    environment: Object.fromEntries(
      Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined),
    ),
  }
}
