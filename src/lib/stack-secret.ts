import { hkdfSync } from 'node:crypto'

const INFO = 'deploy-hook-v1'
const BYTES = 32

/**
 * The secret that signs calls for one stack only, made from the one that signs for all: 64 hex digits, used as text.
 * HKDF-SHA256, so that nobody gets from one stack's secret to another's.
 */
export function stackSecret(master: string, stack: string): string {
  return Buffer.from(hkdfSync('sha256', master, stack, INFO, BYTES)).toString('hex')
}
