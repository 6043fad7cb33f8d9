import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '#lib/clock.ts'
import { PinFile } from '#link/pin-file.ts'

const LOOK_EVERY_MS = 2_000

/** The managers that may connect to the agent whose data is in this folder. Not read yet. */
export function peersIn(folder: string): PinFile {
  return new PinFile(join(folder, 'peers.json'), 'manager')
}

/** Calls `run` after the file was replaced, edited or removed: a revocation counts at once, without a restart. */
export function watchPeers(peers: PinFile, { clock, run }: { clock: Clock; run: () => void }): Timer {
  let before = stampOf(peers.file)
  return clock.every(LOOK_EVERY_MS, () => {
    const now = stampOf(peers.file)
    if (now !== before) {
      before = now
      run()
    }
  })
}

function stampOf(file: string): string {
  const facts = statSync(file, { throwIfNoEntry: false })
  return facts ? `${facts.ino} ${facts.size} ${facts.mtimeMs}` : 'missing'
}
