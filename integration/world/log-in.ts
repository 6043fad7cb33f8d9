import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { command, mustRun } from './command.ts'

const AT = { folder: '/' }

/** What a person gets who logs in: exit code and what was printed. */
export async function logIn(
  { host, port }: { readonly host: string; readonly port: number },
  key: string,
  words: string,
) {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
  ]
  const args = [
    ...options.flatMap(each => ['-o', each]),
    '-o',
    'ConnectTimeout=20',
    '-i',
    key,
    '-p',
    String(port),
  ]
  return await command('ssh', [...args, `root@${host}`, words], AT)
}

export async function newKey(folder: string, name: string): Promise<{ file: string; line: string }> {
  const file = join(folder, name)
  await mustRun('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file], AT)
  return { file, line: (await readFile(`${file}.pub`, 'utf8')).trim() }
}
