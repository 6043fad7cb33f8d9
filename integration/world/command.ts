import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { SEARCH_PATH } from '#cli/demo/background-process.ts'

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a real client in an environment of its own and gives what came of it; a failure is a result, not an error. */
export async function command(
  program: string,
  args: readonly string[],
  options: {
    folder: string
    env?: Readonly<Record<string, string>>
    timeoutMs?: number
    /** What it reads; default: nothing. */
    input?: string
  },
): Promise<CommandResult> {
  const child = spawn(program, args, {
    cwd: options.folder,
    env: { PATH: SEARCH_PATH, LC_ALL: 'C', HOME: options.folder, GIT_TERMINAL_PROMPT: '0', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 60_000,
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, stdout, stderr }
}

/** Like `command`, for a step that must succeed. */
export async function mustRun(...call: Parameters<typeof command>): Promise<string> {
  const { code, stdout, stderr } = await command(...call)
  if (code !== 0) {
    throw new Error(`${call[0]} ${call[1].join(' ')} ended with ${code}\n${stderr}`)
  }
  return stdout
}
