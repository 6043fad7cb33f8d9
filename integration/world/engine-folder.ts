import { readdir, readFile, rm } from 'node:fs/promises'
import { command } from './command.ts'

/** Removes the folder of an engine that has ended: what a killed one started goes on, and what it mounted stays mounted. */
export async function removeEngineFolder(folder: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
    if (line.includes(`${folder}/`)) {
      killed(Number(pid))
    }
  }
  const mounts = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(path => path.startsWith(`${folder}/`))
  for (const path of mounts.reverse()) {
    await command('umount', ['--lazy', path], { folder: '/' })
  }
  // A process that was killed just now may still hold its mounts, and so its folders.
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It ended by itself between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error
    }
  }
}
