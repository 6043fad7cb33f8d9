import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { CredentialBody } from '#contract/rest/repositories.ts'
import { askHidden } from './ask-hidden.ts'
import { CREDENTIAL_IN_PARTS, FILE_NOT_READ } from './errors.ts'

/** Options that say how a Git server is logged in to. */
export interface CredentialOptions {
  readonly username?: string
  readonly passwordFile?: string
  readonly sshKey?: string
  readonly knownHosts?: string
  readonly ca?: string
}

export function withCredentialOptions(command: Command): Command {
  return command
    .option('--username <name>', 'for HTTPS; the password comes from standard input or --password-file')
    .option('--password-file <file>', 'file with the password or token')
    .option('--ssh-key <file>', 'private key for SSH')
    .option('--known-hosts <file>', "the server's keys, as ssh-keyscan writes them")
    .option('--ca <file>', 'certificate of the authority of a Git server of your own')
}

/** The credential that the options describe; undefined for a public repository. */
export async function readCredential(options: CredentialOptions): Promise<CredentialBody | undefined> {
  refuseParts(options)
  if (options.sshKey !== undefined) {
    return {
      kind: 'ssh',
      private_key: readFileText(options.sshKey),
      known_hosts: options.knownHosts === undefined ? '' : readFileText(options.knownHosts),
    }
  }
  if (options.username === undefined) {
    return undefined
  }
  const password =
    options.passwordFile === undefined
      ? await askHidden(`Password or token of ${options.username} (not shown): `)
      : readFileText(options.passwordFile).replace(/\n$/, '')
  return { kind: 'https', username: options.username, password }
}

/** What would be left out is not what a person meant: the repository would be taken for a public one. */
function refuseParts({ username, passwordFile, sshKey, knownHosts }: CredentialOptions): void {
  if (passwordFile !== undefined && username === undefined) {
    throw CREDENTIAL_IN_PARTS('--password-file', '--username')
  }
  if (knownHosts !== undefined && sshKey === undefined) {
    throw CREDENTIAL_IN_PARTS('--known-hosts', '--ssh-key')
  }
}

/** The text of a file that a person named, or FILE_NOT_READ. */
export function readFileText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw FILE_NOT_READ(file, (error as Error).message)
  }
}
