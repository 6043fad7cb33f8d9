import type { ProgramCall } from '#exec/call.ts'
import { accessTo, type GitRemote, subjectOf } from './git-access.ts'
import { gitCall } from './git-call.ts'

const MARK = 'refs/tags/'
/** A line of an annotated tag's commit, after the one of the tag itself. */
const PEELED = '^{}'

/** Names of the tags at a commit, as the server has them now; nothing is fetched. */
export function tagsAt(remote: GitRemote, commit: string): ProgramCall<readonly string[]> {
  return gitCall({
    ...accessTo(remote),
    args: ['ls-remote', '--quiet', '--tags', '--', remote.url.text],
    timeoutMs: 20_000,
    about: { ...subjectOf(remote), operation: 'ls-remote', branch: 'tags' },
    read: ({ stdout }) => readTags(stdout, commit),
  })
}

/** `<id>\t<ref>` per line. Pure. */
export function readTags(stdout: string, commit: string): readonly string[] {
  const names = stdout.split('\n').flatMap(line => {
    const [id, ref = ''] = line.split('\t')
    return id === commit && ref.startsWith(MARK) ? [ref.slice(MARK.length)] : []
  })
  return names.map(name => (name.endsWith(PEELED) ? name.slice(0, -PEELED.length) : name))
}
