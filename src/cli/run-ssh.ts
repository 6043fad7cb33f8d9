import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PROGRAM_MISSING_HERE } from './system-errors.ts'

/** Runs the SSH client of this machine on this terminal; gives its exit code. */
export async function runSsh(
  { host, port }: { readonly host: string; readonly port: number },
  words: readonly string[],
): Promise<number> {
  const child = spawn('ssh', ['-p', String(port), '-l', 'root', '--', host, ...words], { stdio: 'inherit' })
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    return code ?? 255
  } catch {
    throw PROGRAM_MISSING_HERE('ssh', 'openssh-client')
  }
}
