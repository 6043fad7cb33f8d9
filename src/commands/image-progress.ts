import type { TransferEvent } from '#programs/image-transfer.ts'
import type { Hands } from './command.ts'

const BETWEEN_LINES_MS = 2_000
const MEGABYTE = 1_000_000

/** Turns the events of a push or pull into lines of the log: each finished layer, and every two seconds how far it is. */
export function createTransferReport(hands: Hands, doing: 'pushed' | 'fetched') {
  const layers = new Map<string, { bytes: number; total: number }>()
  let saidAt = hands.clock.monotonic()
  return {
    show(event: TransferEvent): void {
      if (event.kind === 'line') {
        hands.say(event.text, 'stdout')
      }
      if (event.kind === 'progress') {
        layers.set(event.layer, event)
        const now = hands.clock.monotonic()
        if (now - saidAt >= BETWEEN_LINES_MS) {
          saidAt = now
          hands.say(`${sum(layers, 'bytes')} of ${sum(layers, 'total')} MB ${doing}`, 'stdout')
        }
      }
    },
  }
}

function sum(layers: ReadonlyMap<string, { bytes: number; total: number }>, key: 'bytes' | 'total'): string {
  const bytes = [...layers.values()].reduce((all, layer) => all + layer[key], 0)
  return (bytes / MEGABYTE).toFixed(1)
}
