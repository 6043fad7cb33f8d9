import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import { mustRun } from './command.ts'

type Environment = Readonly<Record<string, string>>

const PERSON = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
}

/** Environment of a git that trusts this certificate and nothing of the machine's configuration. */
export async function gitOverHttps(folder: string, ca: string): Promise<Environment> {
  const file = join(folder, 'ca.pem')
  await writeFile(file, ca)
  return { ...GIT_ENVIRONMENT, ...PERSON, GIT_SSL_CAINFO: file }
}

/** Environment of a git that logs in with this key and accepts these host keys only. */
export async function gitOverSsh(
  folder: string,
  sshd: { clientKeyFile: string; hostKeys: string },
): Promise<Environment> {
  const knownHosts = join(folder, 'known_hosts')
  await writeFile(knownHosts, sshd.hostKeys)
  return {
    ...GIT_ENVIRONMENT,
    ...PERSON,
    GIT_SSH_COMMAND: ['ssh', ...sshOptions(sshd.clientKeyFile, knownHosts)].join(' '),
  }
}

export function sshOptions(clientKeyFile: string, knownHosts: string): string[] {
  const options = {
    BatchMode: 'yes',
    IdentitiesOnly: 'yes',
    IdentityFile: clientKeyFile,
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: knownHosts,
    GlobalKnownHostsFile: '/dev/null',
  }
  return ['-F', '/dev/null', ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`])]
}

/** The address with a login in it, as a person would type it. */
export function withLogin(url: string, username: string, password: string): string {
  const address = new URL(url)
  address.username = username
  address.password = encodeURIComponent(password)
  return address.href
}

/** A new working copy on main with `count` commits. */
export async function workingCopy(folder: string, env: Environment, count = 1): Promise<string> {
  await mustRun('git', ['init', '--quiet', '--initial-branch=main', folder], { folder: '/', env })
  await addCommits(folder, env, count)
  return folder
}

/** Adds `count` commits, and with them every file of the working copy. */
export async function addCommits(folder: string, env: Environment, count = 1): Promise<void> {
  for (let number = 1; number <= count; number++) {
    await mustRun('git', ['add', '--all'], { folder, env })
    await mustRun('git', ['commit', '--quiet', '--allow-empty', `--message=${number} of ${count}`], {
      folder,
      env,
    })
  }
}

/** The commit that a working copy has checked out. */
export async function headOf(folder: string, env: Environment): Promise<string> {
  return (await mustRun('git', ['rev-parse', 'HEAD'], { folder, env })).trim()
}
