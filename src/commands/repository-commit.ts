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
/** Compose files may be longer than what says how a stack runs. */
const Read = Type.String({ maxLength: 262_144 })
const Line = Type.String({ pattern: '^[^\\p{C}<>]{1,200}$' })

const Data = Type.Object(
  {
    ...RemoteFields,
    repository: Key,
    branch: Branch,
    path: Path,
    /** What stood there when the person decided; other than that is not written over. */
    before: Type.Union([Read, Type.Null()], { description: 'null: there is no such file.' }),
    after: Text,
    also: Type.Optional(
      Type.Array(Type.Object({ path: Path, before: Read }, strict), {
        maxItems: 4,
        description: 'Files that are taken away in the same commit.',
      }),
    ),
    /** First line of the message. */
    subject: Line,
    author: Type.Object({ name: Line, email: Line }, strict),
  },
  strict,
)

export const repositoryCommit = defineCommand({
  name: 'repository.commit',
  summary:
    'Writes or removes the file that says how a stack runs, in one commit that it pushes to the branch.',
  role: 'worker',
  engineFree: true,
  data: Data,
  result: Type.Object(
    {
      outcome: Type.Enum(['pushed', 'unchanged', 'conflict']),
      /** Where the branch is now, as far as we know. */
      commit: Commit,
      /** What stands there: after a conflict something else than was wanted. */
      text: Type.Union([Type.String(), Type.Null()], { description: 'null: there is no such file.' }),
      path: Type.Optional({
        ...Path,
        description: 'Which file a conflict is about, when it is not the one.',
      }),
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
  const { also = [] } = data
  const refused = isCommittedPath(data.path, data.after)
    ? also.find(({ path }) => !isCommittedPath(path, null))
    : data
  if (refused) {
    throw COMMITTED_PATH_REFUSED(refused.path)
  }
  if (data.after !== null && !isObject(data.after)) {
    throw BAD_INPUT('repository.commit', `the text for ${data.path} is no JSON object`)
  }
  const wanted: readonly Change[] = [data, ...also.map(each => ({ ...each, after: null }))]
  let stands: readonly (string | null)[] = []
  const written = await rewriteBranch(hands, data, {
    // A commit of ours that nobody heard of has left the files as they shall be.
    isOurs: () => false,
    async edit(tip) {
      const texts = await textsAt(hands, tip, wanted)
      stands = texts
      const isAsSeen = wanted.every(({ before }, index) => texts[index] === before)
      const files = isAsSeen ? await Promise.all(wanted.map(change => fileOf(hands, tip.mirror, change))) : []
      return { files, message: `${data.subject}\n`, author: data.author }
    },
  })
  if (written.outcome === 'pushed') {
    return { outcome: 'pushed' as const, commit: written.commit, text: data.after }
  }
  const isDone = wanted.every(({ after }, index) => stands[index] === after)
  const other = isDone ? 0 : wanted.findIndex(({ before }, index) => stands[index] !== before)
  return {
    outcome: isDone ? ('unchanged' as const) : ('conflict' as const),
    ...{ commit: written.commit, text: stands[other] ?? null },
    ...(other > 0 ? { path: wanted[other]?.path ?? '' } : {}),
  }
}

type Change = Pick<CommitData, 'path' | 'before' | 'after'>

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

async function textsAt(
  hands: Hands,
  { mirror, entries }: Tip,
  wanted: readonly Change[],
): Promise<(string | null)[]> {
  const chosen = chooseFiles(
    entries,
    wanted.map(({ path }) => path),
  )
  const texts = await readTexts(hands, mirror, chosen)
  return wanted.map(({ path }) => texts[path] ?? null)
}

async function fileOf(hands: Hands, mirror: string, { path, after }: Change): Promise<FileOfCommit> {
  return { path, id: after === null ? null : await hands.perform(writeBlob(mirror, after)) }
}
