import { repositoryCheckout, repositoryForget, repositoryTip } from '#commands/repository.ts'
import { nameRemote, openRemote } from '#commands/repository-remote.ts'
import { lsRemote } from '#programs/git.ts'
import { gitWorld } from './world/git-world.ts'

const median = (a: number[]) => {
  const s = a.toSorted((x, y) => x - y)
  return `median ${s[Math.floor(s.length / 2)]!.toFixed(0)} min ${s[0]!.toFixed(0)} max ${s.at(-1)!.toFixed(0)}`
}
await using world = new AsyncDisposableStack()
const git = await gitWorld(world)
const files = Number(process.argv[2] ?? 50)
const make = (n: number) => ({
  'compose.yaml': `x: ${n}\n`,
  src: {
    folder: Object.fromEntries(
      Array.from({ length: files }, (_, i) => [`f${i}.txt`, `file ${i}\n`.repeat(20)]),
    ),
  },
})
await git.commit(make(0))
const N = 15
const time = async (f: () => Promise<unknown>) => {
  const t = performance.now()
  await f()
  return performance.now() - t
}
const remote = await openRemote(git.hands, nameRemote(git.hands, git.data))
const r: Record<string, number[]> = { tip: [],
  ls: [],
  first: [],
  fresh: [],
  freshKnown: [],
  unchanged: [],
  sha: [],
  refetch: [],
}
for (let i = 0; i < N; i++) {
  r.ls!.push(await time(() => git.hands.perform(lsRemote(remote, 'main'))))
  await repositoryForget.run(git.hands, { repository: 'app', keep: [], mirror: 'remove' })
  const { url, ca, credential, branch } = git.data
  r.tip!.push(await time(() => repositoryTip.run(git.hands, { url, ca, credential, branch })))
  let known = ''
  r.first!.push(
    await time(async () => {
      known = (await repositoryCheckout.run(git.hands, git.data)).commit
    }),
  )
  r.unchanged!.push(await time(() => repositoryCheckout.run(git.hands, { ...git.data, known })))
  r.ls!.push(await time(() => git.hands.perform(lsRemote(remote, 'main'))))
  r.refetch!.push(await time(() => repositoryCheckout.run(git.hands, git.data)))
  r.sha!.push(await time(() => repositoryCheckout.run(git.hands, { ...git.data, commit: known })))
  await git.commit(make(2 * i + 1))
  r.fresh!.push(
    await time(async () => {
      known = (await repositoryCheckout.run(git.hands, git.data)).commit
    }),
  )
  await git.commit(make(2 * i + 2))
  r.freshKnown!.push(await time(() => repositoryCheckout.run(git.hands, { ...git.data, known })))
}
for (const [k, v] of Object.entries(r)) console.log(k.padEnd(12), median(v))
