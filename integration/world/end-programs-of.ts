import { readdir, readFile } from 'node:fs/promises'
import { command } from './command.ts'
import { awaited } from './outcome.ts'

/** Ends all that is in a network namespace. */
export async function endAllIn(namespace: string): Promise<void> {
  const { stdout } = await command('ip', ['netns', 'pids', namespace], { folder: '/' })
  stdout.split('\n').filter(Boolean).forEach(endOne)
}

/** Ends what was started with these words in its environment, wherever it is now. */
export async function endProgramsOf(words: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter(each => /^\d+$/.test(each))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    if (environment.split('\0').includes(words)) {
      endOne(pid)
    }
  }
}

/** Ends these, and waits until none of them runs any more. */
export async function endAll(pids: readonly number[]): Promise<void> {
  pids.map(String).forEach(endOne)
  await awaited(async () => ((await Promise.all(pids.map(isOver))).every(Boolean) ? true : undefined))
}

/** Also one whose parent has not asked for its end yet. */
async function isOver(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return /^\) [ZX]/.test(stat.slice(stat.lastIndexOf(')')))
}

function endOne(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
