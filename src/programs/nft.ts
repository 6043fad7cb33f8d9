import type { ProgramCall, ProgramOutput } from '#exec/call.ts'
import { NFT_REFUSED } from './nft-errors.ts'

const TIMEOUT_MS = 20_000
const RULES = 'rules.json'

/** What a table holds now, as nft's JSON objects; undefined: there is none. */
export function listTable(table: {
  readonly family: string
  readonly name: string
}): ProgramCall<readonly unknown[] | undefined> {
  return {
    ...nft(['-j', 'list', 'table', table.family, table.name]),
    maxOutputBytes: 32 * 1024 * 1024,
    read: output => (isMissing(output) ? undefined : objectsIn(accepted(output).stdout)),
  }
}

/** Performs a transaction: all of it, or with an error nothing. Through a file: nft cannot read the pipe that it gets as input. */
export function transact(transaction: { readonly nftables: readonly unknown[] }): ProgramCall<void> {
  return {
    ...nft(['-j', '-f', `{file:${RULES}}`]),
    files: [{ name: RULES, content: JSON.stringify(transaction) }],
    read: output => void accepted(output),
  }
}

function nft(args: readonly string[]) {
  return {
    kind: 'program',
    program: 'nft',
    args,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    timeoutMs: TIMEOUT_MS,
    okCodes: [0, 1],
  } as const
}

function isMissing({ exitCode, stderr }: ProgramOutput): boolean {
  return exitCode !== 0 && stderr.includes('No such file or directory')
}

function accepted(output: ProgramOutput): ProgramOutput {
  if (output.exitCode !== 0) {
    throw NFT_REFUSED((output.stderr || output.stdout).trim().split('\n')[0] ?? '')
  }
  return output
}

function objectsIn(text: string): readonly unknown[] {
  const { nftables } = JSON.parse(text) as { nftables?: unknown }
  return Array.isArray(nftables) ? nftables : []
}
