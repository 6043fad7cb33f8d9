import { stripVTControlCharacters } from 'node:util'
import type { ProgramOutput } from '#exec/call.ts'
import type { ComposeProblem } from './compose.ts'

/** Why a project could not be started, as far as the engine says it. */
export type ComposeFailure =
  | { readonly kind: 'port-taken'; readonly port: number; readonly text: string }
  | { readonly kind: 'image-missing'; readonly image: string; readonly text: string }
  | { readonly kind: 'unhealthy'; readonly container: string; readonly text: string }
  | { readonly kind: 'exited'; readonly name: string; readonly exitCode: number; readonly text: string }
  | { readonly kind: 'broke-off'; readonly text: string }
  | { readonly kind: 'refused'; readonly text: string }

/** Undefined for a success. */
export function readFailure({ exitCode, stderr }: ProgramOutput): ComposeFailure | undefined {
  return exitCode === 0 ? undefined : failureIn(stderr)
}

/** What an error output of Compose, or a message of the engine, says. */
export function failureIn(said: string): ComposeFailure {
  const text = lastError(said)
  const port = /(?:Bind for|listen (?:tcp|udp)[46]?) [^\s]*:(\d+).*(?:already allocated|already in use)/.exec(
    said,
  )?.[1]
  if (port !== undefined) {
    return { kind: 'port-taken', port: Number(port), text }
  }
  if (
    /Cannot connect to the Docker daemon|error during connect|connection reset by peer|unexpected EOF/.test(
      said,
    )
  ) {
    return { kind: 'broke-off', text }
  }
  const image = /no such image: (\S+)/i.exec(said)?.[1]?.replace(/:$/, '')
  if (image !== undefined) {
    return { kind: 'image-missing', image, text }
  }
  const unhealthy = /container (\S+) is unhealthy/.exec(said)?.[1]
  if (unhealthy !== undefined) {
    return { kind: 'unhealthy', container: unhealthy, text }
  }
  const exited =
    /container (\S+) exited \((\d+)\)/.exec(said) ??
    /service "([^"]+)" didn't complete successfully: exit (\d+)/.exec(said)
  return exited?.[1] === undefined
    ? { kind: 'refused', text }
    : { kind: 'exited', name: exited[1], exitCode: Number(exited[2]), text }
}

/** What `config` says about a file it does not take; paths are given from the project's folder. */
export function readConfigProblem(stderr: string, folder: string): ComposeProblem {
  const text = lastError(stderr).replaceAll(`${folder}/`, '')
  const line = /yaml: line (\d+)/.exec(text)?.[1]
  const path =
    /^validating [^:]+: ([\w.-]+(?:\.[\w-]+)*) /.exec(text)?.[1] ??
    /(?:^|while interpolating )((?:services|volumes|networks|secrets|configs)\.[\w.-]+)/.exec(text)?.[1] ??
    servicePath(text)
  const missing = /(?:env file|open|stat) (\S+?)(?: not found)?: (?:stat .*|no such file or directory)/.exec(
    text,
  )?.[1]
  return {
    message: text.replace(/: invalid compose project$/, '').replace(/^validating [^:]+: /, ''),
    ...(path ? { path } : {}),
    ...(line ? { line: Number(line) } : {}),
    ...(missing ? { missingFile: missing } : {}),
  }
}

function servicePath(text: string): string | undefined {
  const service = /^service "([^"]+)"/.exec(text)?.[1]
  return service === undefined ? undefined : `services.${service}`
}

/** The last line that is no progress of Compose (` Container x  Started`) and no warning. */
function lastError(stderr: string): string {
  const lines = stripVTControlCharacters(stderr)
    .split(/[\r\n]+/)
    .filter(
      line =>
        line.trim() !== '' &&
        !/^ (?:Container|Network|Volume|Image|\w+) /.test(line) &&
        !/level=warning/.test(line),
    )
  return (lines.at(-1) ?? 'it gave no reason').trim().slice(0, 1_000)
}
