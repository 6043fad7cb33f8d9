import { openWorld } from '#cli/demo/world.ts'
import { openSession } from '#cli/session.ts'
import { openContender } from './bench-world.ts'
import { measureRedeploys } from './redeploy.ts'
import { WebSocket } from 'ws'
import { writeFileSync } from 'node:fs'
const form = (process.argv[2] ?? 'container') as any
const session = openSession({})
await using world = await openWorld(session, { apps: [], tell: (a, b) => console.log(a, b), environment: { FAIRLEAD_MOST_UNATTENDED: '0' } })
const here = { ...session, client: world.together.client }
const contender = await openContender(world, here.client, form)
await measureRedeploys(here, world, { contender, runs: 3 })
process.kill(world.together.worker.pid, 'SIGUSR1')
await session.clock.sleep(2000)
const [{ webSocketDebuggerUrl }] = await (await fetch('http://127.0.0.1:9229/json')).json() as any
const ws = new WebSocket(webSocketDebuggerUrl)
await new Promise(r => ws.on('open', r))
let id = 0
const waiting = new Map<number, (v: any) => void>()
ws.on('message', d => { const m = JSON.parse(String(d)); waiting.get(m.id)?.(m.result) })
const call = (method: string, params = {}) => new Promise<any>(r => { waiting.set(++id, r); ws.send(JSON.stringify({ id, method, params })) })
await call('Profiler.enable'); await call('Profiler.setSamplingInterval', { interval: 500 }); await call('Profiler.start')
const figures = await measureRedeploys(here, world, { contender, runs: 10 })
const { profile } = await call('Profiler.stop')
writeFileSync(`/tmp/worker-${form}.cpuprofile`, JSON.stringify(profile))
console.log(JSON.stringify(figures, null, 1).slice(0, 3000))
process.exit(0)
