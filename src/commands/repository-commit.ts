import { type Static, Type } from 'typebox'
import { BAD_INPUT } from '#lib/check.ts'
import { type FileOfCommit, writeBlob } from '#programs/git-push.ts'
import { defineCommand, type Hands } from './command.ts'
import { isCommittedPath } from './committed-path.ts'
import { COMMITTED_PATH_REFUSED } from './repository-errors.ts'
import { Branch, Commit, Key, lockOf, MINUTE, Path, strict } from './repository-fields.ts'
import { RemoteFields } from './repository-remote.ts'
import { rewriteBranch, type Tip } from './repository-rewrite.ts'
import { chooseFiles, readTexts } from './repository-texts.ts'

const Text = Type.Union([Type.String({ maxLength: 65_536 }), Type.Null()], {
  description: 'null: there is no such file.',
})
const Line = Type.String({ pattern: '^[^\\p{C}<>]{1,200}$' })

const Data = Type.Object(
  {
    ...RemoteFields,
    repository: Key,
    branch: Branch,
    path: Path,
    /** What stood there when the person decided; other than that is not written over. */
    before: Text,
    after: Text,
    /** First line of the message. */
    subject: Line,
    author: Type.Object({ name: Line, email: Line }, strict),
  },
  strict,
)

export const repositoryCommit = defineCommand({
  name: 'repository.commit',
  summary:
    'Writes or removes one file that says how a stack runs, in one commit that it pushes to the branch.',
  role: 'worker',
  data: Data,
  result: Type.Object(
    {
      outcome: Type.Enum(['pushed', 'unchanged', 'conflict']),
      /** Where the branch is now, as far as we know. */
      commit: Commit,
      /** What stands there: after a conflict something else than was wanted. */
      text: Text,
    },
    strict,
  ),
  deadlineMs: 2 * MINUTE,
  lock: data => lockOf(data.repository),
  run: commitFile,
})

type CommitData = Static<typeof Data>

/** Whoever pushes meanwhile wins: only when the file is still as it was, or already as it shall be, is it a success. */
async function commitFile(hands: Hands, data: CommitData) {
  if (!isCommittedPath(data.path, data.after)) {
    throw COMMITTED_PATH_REFUSED(data.path)
  }
  if (data.after !== null && !isObject(data.after)) {
    throw BAD_INPUT('repository.commit', `the text for ${data.path} is no JSON object`)
  }
  let stands: string | null = null
  const written = await rewriteBranch(hands, data, {
    // A commit of ours that nobody heard of has left the file as it shall be.
    isOurs: () => false,
    async edit(tip) {
      stands = await textAt(hands, tip, data.path)
      const files = stands === data.before ? [await fileOf(hands, tip.mirror, data)] : []
      return { files, message: `${data.subject}\n`, author: data.author }
    },
  })
  if (written.outcome === 'pushed') {
    return { outcome: 'pushed' as const, commit: written.commit, text: data.after }
  }
  const outcome = stands === data.after ? ('unchanged' as const) : ('conflict' as const)
  return { outcome, commit: written.commit, text: stands }
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

async function textAt(hands: Hands, { mirror, entries }: Tip, path: string): Promise<string | null> {
  return (await readTexts(hands, mirror, chooseFiles(entries, [path])))[path] ?? null
}

async function fileOf(hands: Hands, mirror: string, { path, after }: CommitData): Promise<FileOfCommit> {
  return { path, id: after === null ? null : await hands.perform(writeBlob(mirror, after)) }
}
