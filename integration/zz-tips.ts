import { readFileSync } from 'node:fs'
import { repositoryTip } from '#commands/repository.ts'
import { workerHands } from './world/worker-hands.ts'

await using world = new AsyncDisposableStack()
const { url, ca, credential, branch } = JSON.parse(readFileSync('/tmp/git-helper/data.json', 'utf8'))
const hands = await workerHands(world)
const cpu = () => {
  const f = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')
  return { own: (Number(f[11]) + Number(f[12])) * 10, children: (Number(f[13]) + Number(f[14])) * 10 }
}
await repositoryTip.run(hands, { url, ca, credential, branch })
const a = cpu(),
  t = performance.now()
for (let i = 0; i < 50; i++) await repositoryTip.run(hands, { url, ca, credential, branch })
const b = cpu()
console.log(
  'per tip: wall',
  ((performance.now() - t) / 50).toFixed(1),
  'own cpu',
  (b.own - a.own) / 50,
  'children cpu',
  (b.children - a.children) / 50,
)
