import type { ProgramCall, ProgramOutput, TemporaryFile } from '#exec/call.ts'
import type { Secret } from '#lib/secret.ts'
import { gitFailure } from './git-failure.ts'

/** One start of git, before the hardening is added around it. */
export interface GitStart<T> {
  /** Subcommand, its options, and after `--` its values. */
  readonly args: readonly string[]
  /** More `-c` settings; they win over the common ones. */
  readonly config?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly files?: readonly TemporaryFile[]
  readonly input?: string | Secret
  readonly timeoutMs: number
  readonly maxOutputBytes?: number
  readonly encoding?: 'base64'
  readonly maxFileBytes?: number
  readonly outlives?: string
  /** What is asked of whom, for the messages of failures. */
  readonly about: GitSubject
  readonly read: (output: ProgramOutput) => T
  /** Reads a failure that is an answer, or throws an error of its own; undefined: it is told as any other. */
  readonly readFailure?: (output: ProgramOutput) => T | undefined
}

export interface GitSubject {
  readonly operation: string
  readonly url?: string
  readonly host?: string
  readonly branch?: string
  readonly commit?: string
  readonly credential?: 'given' | 'none'
  readonly knownHosts?: string
}

/** Nothing is inherited and nothing of the host's configuration is read. */
const ENVIRONMENT = {
  PATH: '/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  SSH_ASKPASS: '/bin/false',
  GIT_ALLOW_PROTOCOL: 'https:ssh',
  GIT_PROTOCOL_FROM_USER: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_LFS_SKIP_SMUDGE: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_LITERAL_PATHSPECS: '1',
  // Git 3 has other defaults for new repositories, but what hosts serve is SHA-1.
  GIT_DEFAULT_HASH: 'sha1',
  GIT_DEFAULT_REF_FORMAT: 'files',
} as const

/**
 * Together with the environment this takes from a hostile repository or server each known way to run a program or to
 * reach another host, so it also stands in for the security fixes that a distribution's git lacks.
 */
const CONFIG = [
  'protocol.allow=never',
  'protocol.https.allow=always',
  'protocol.ssh.allow=always',
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.symlinks=false',
  'core.attributesFile=/dev/null',
  'core.pager=cat',
  'core.protectHFS=true',
  'core.protectNTFS=true',
  'safe.bareRepository=explicit',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'transfer.fsckObjects=true',
  'fetch.fsckObjects=true',
  'transfer.bundleURI=false',
  'http.followRedirects=false',
  'http.lowSpeedLimit=1000',
  'http.lowSpeedTime=30',
  'credential.helper=',
  'gc.auto=0',
  'maintenance.auto=false',
  'advice.detachedHead=false',
  // Objects arrive as one pack or not at all, so a git that was killed leaves no half of a commit behind.
  'fetch.unpackLimit=1',
] as const

/** Exit codes with which git itself reports a failure; read() turns them into errors that say what to do. */
const OK_CODES = [0, 1, 2, 128, 129]

/** A start of git that cannot be talked into anything by a repository or a server. Its failures are those of git-errors.ts. */
export function gitCall<T>(start: GitStart<T>): ProgramCall<T> {
  const config = [...CONFIG, ...(start.config ?? [])].flatMap(entry => ['-c', entry])
  return {
    kind: 'program',
    program: 'git',
    args: [...config, ...start.args],
    // Never inside a checkout: git would look for a repository there.
    cwd: '/',
    env: { ...ENVIRONMENT, ...start.env },
    timeoutMs: start.timeoutMs,
    okCodes: OK_CODES,
    ...(start.input === undefined ? {} : { input: start.input }),
    ...(start.files === undefined ? {} : { files: start.files }),
    ...(start.maxOutputBytes === undefined ? {} : { maxOutputBytes: start.maxOutputBytes }),
    ...(start.encoding === undefined ? {} : { encoding: start.encoding }),
    ...(start.maxFileBytes === undefined ? {} : { maxFileBytes: start.maxFileBytes }),
    ...(start.outlives === undefined ? {} : { outlives: start.outlives }),
    read: output => {
      if (output.exitCode === 0) {
        return start.read(output)
      }
      const answer = start.readFailure?.(output)
      if (answer === undefined) {
        throw gitFailure(output, start.about)
      }
      return answer
    },
  }
}
