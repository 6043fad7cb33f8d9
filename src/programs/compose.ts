import { AS_LONG_AS_COMMAND_MS, type ProgramCall, type ProgramOutput } from '#exec/call.ts'
import { Secret } from '#lib/secret.ts'
import { type ComposeFailure, readConfigProblem, readFailure } from './compose-failure.ts'
import { dockerHost } from './docker-engine.ts'

const CONFIG_MS = 30_000
/** What it could not do, it says on its error output; exit codes: 1 engine, 14 file missing, 15 not valid, 18 pull. */
const EXIT_CODES = [0, 1, 14, 15, 16, 17, 18]

/** One Compose project, and where the engine and the CLI's own folder are. */
export interface ComposeProject {
  readonly name: string
  /** Absolute paths of its files, in the order in which they are merged. */
  readonly files: readonly string[]
  /** Relative paths in the files start here. */
  readonly folder: string
  readonly socket: string
  /** HOME of the docker CLI: no credentials, no configuration of the person who started the worker. */
  readonly home: string
}

export type ComposeConfig =
  | { readonly kind: 'rendered'; readonly model: unknown; readonly warnings: readonly string[] }
  | { readonly kind: 'problem'; readonly problem: ComposeProblem }

/** Why Compose does not take a file, with the place as far as it says one. */
export interface ComposeProblem {
  readonly message: string
  /** services.web */
  readonly path?: string
  readonly line?: number
  readonly missingFile?: string
}

/**
 * All files merged, interpolated and in long forms. Only these variables are known: nothing of the worker's environment
 * and no `.env` of the checkout. It is given no engine, because rendering needs none.
 */
export function composeConfig(
  project: ComposeProject,
  variables: Readonly<Record<string, string>>,
): ProgramCall<ComposeConfig> {
  return {
    ...composeCall({ ...project, socket: '/dev/null' }, ['config', '--format', 'json']),
    env: { ...environmentOf({ ...project, socket: '/dev/null' }), ...asSecrets(variables) },
    timeoutMs: CONFIG_MS,
    read: output => readConfig(output, project.folder),
  }
}

const UP = ['up', '--no-deps', '--no-build', '--pull', 'never']

/** Undefined: the containers of these services exist as wanted, changed ones are made anew but not started. No other is touched. */
export function composeCreate(
  project: ComposeProject,
  services: readonly string[],
  remake: 'when-changed' | 'always' = 'when-changed',
): ProgramCall<ComposeFailure | undefined> {
  const force = remake === 'always' ? ['--force-recreate'] : []
  return changing(project, [...UP, '--no-start', ...force, ...services])
}

/** Undefined: each of these services has so many containers. Those that were there stay as they are, whatever they were made from. */
export function composeAdd(
  project: ComposeProject,
  scale: Readonly<Record<string, number>>,
): ProgramCall<ComposeFailure | undefined> {
  const counts = Object.entries(scale).flatMap(([service, count]) => ['--scale', `${service}=${count}`])
  return changing(project, [...UP, '--no-start', '--no-recreate', ...counts, ...Object.keys(scale)])
}

/** Undefined: the service was started with the hooks that only Compose runs. */
export function composeStart(
  project: ComposeProject,
  service: string,
): ProgramCall<ComposeFailure | undefined> {
  return changing(project, [...UP, '--detach', service])
}

/** Undefined: no container of the project runs; each stays as it is. It finds them by their labels and needs no file. */
export function composeStop(
  project: Omit<ComposeProject, 'files' | 'folder'>,
): ProgramCall<ComposeFailure | undefined> {
  return changing({ ...project, files: [], folder: '/' }, ['stop'])
}

/** Undefined: no container and network of the project is left. It finds them by their labels and needs no file. */
export function composeDown(
  project: Omit<ComposeProject, 'files' | 'folder'> & { readonly volumes: 'keep' | 'delete' },
): ProgramCall<ComposeFailure | undefined> {
  const volumes = project.volumes === 'delete' ? ['--volumes'] : []
  return changing({ ...project, files: [], folder: '/' }, ['down', '--remove-orphans', ...volumes])
}

function changing(
  project: ComposeProject,
  words: readonly string[],
): ProgramCall<ComposeFailure | undefined> {
  return {
    ...composeCall(project, words),
    env: environmentOf(project),
    // It waits for dependencies to be healthy and for old containers to stop.
    timeoutMs: AS_LONG_AS_COMMAND_MS,
    outlives: ['docker compose', project.name, ...project.files, ...words].join(' '),
    show: 'stderr',
    read: readFailure,
  }
}

function composeCall(project: ComposeProject, words: readonly string[]) {
  return {
    kind: 'program',
    program: 'docker',
    args: [
      'compose',
      ...['--project-name', project.name],
      ...['--project-directory', project.folder],
      ...['--env-file', '{file:env}'],
      ...project.files.flatMap(file => ['--file', file]),
      ...words,
    ],
    cwd: '/',
    // Empty: variables come through the environment, where no quoting can change them.
    files: [{ name: 'env', content: '' }],
    okCodes: EXIT_CODES,
  } as const
}

function environmentOf({ home, socket }: ComposeProject): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: home,
    DOCKER_HOST: dockerHost(socket),
    COMPOSE_DISABLE_ENV_FILE: '1',
  }
}

/** Names that change what the docker CLI itself does. */
const RESERVED = /^(?:PATH|HOME|GODEBUG|(?:LD|DOCKER|COMPOSE|BUILDKIT|BUILDX)_.*)$/i

/** Variables that no project may set, because the docker CLI itself reads them. */
export function reservedVariables(names: readonly string[]): readonly string[] {
  return names.filter(name => RESERVED.test(name))
}

function asSecrets(variables: Readonly<Record<string, string>>): Record<string, Secret> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, new Secret(value)]))
}

function readConfig(output: ProgramOutput, folder: string): ComposeConfig {
  if (output.exitCode !== 0) {
    return { kind: 'problem', problem: readConfigProblem(output.stderr, folder) }
  }
  try {
    return { kind: 'rendered', model: JSON.parse(output.stdout), warnings: warningsOf(output.stderr) }
  } catch {
    return { kind: 'problem', problem: { message: 'Compose printed something that is not JSON' } }
  }
}

/** `time="…" level=warning msg="The \"X\" variable is not set. Defaulting to a blank string."` */
function warningsOf(stderr: string): string[] {
  const found = stderr.matchAll(/level=warning msg=("(?:[^"\\]|\\.)*")/g)
  return [...new Set([...found].map(([, text = '""']) => unquoted(text)))]
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text.slice(1, -1)
  }
}
