import { readFile, readlink, stat } from 'node:fs/promises'
import { type BackgroundProcess, startProcess } from '#cli/demo/background-process.ts'
import type { Part } from '#cli/parts.ts'

/** A manager or worker that can be killed and started again as it was, as the supervisor of a host does. */
export interface PartProcess {
  readonly pid: number
  /** Of all its lives. */
  readonly logFile: string
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it again; resolves when it listens. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Takes over a running part; it has these variables too when it starts again. Close it before the world that started it. */
export async function partProcess(
  part: Part,
  environment: Readonly<Record<string, string>> = {},
): Promise<PartProcess> {
  const { env, ...start } = await startOf(part)
  let running: Pick<BackgroundProcess, 'pid' | 'ended' | 'close'> = part
  return {
    get pid() {
      return running.pid
    },
    logFile: part.logFile,
    async kill() {
      process.kill(running.pid, 'SIGKILL')
      await running.ended
    },
    async start() {
      const from = (await stat(part.logFile)).size
      running = await startProcess({
        ...start,
        env: { ...env, ...environment },
        ready: async () => {
          const said = (await readFile(part.logFile)).subarray(from).toString()
          return /"event":"(worker|manager)\.(listening|standby)"/.test(said)
        },
      })
    },
    close: () => running.close(),
  }
}

/** How it was started, read from the system while it runs. */
async function startOf({ pid, logFile }: Part) {
  const list = async (file: string) =>
    (await readFile(`/proc/${pid}/${file}`, 'utf8')).split('\0').filter(Boolean)
  const [program = '', ...args] = await list('cmdline')
  const env = Object.fromEntries((await list('environ')).map(line => line.split(/=(.*)/s, 2)))
  return { program, args, env, folder: await readlink(`/proc/${pid}/cwd`), logFile }
}
