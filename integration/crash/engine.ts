import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BackgroundProcess, startProcess } from '#cli/demo/background-process.ts'
import { callEngine } from '#cli/demo/engine.ts'
import { freeSubnet } from '#cli/demo/free-subnet.ts'
import { command, mustRun } from '#world/command.ts'
import { removeEngineFolder } from '#world/engine-folder.ts'

/** A Docker engine of our own, so that killing it touches nobody else's containers. */
export interface Engine {
  readonly socket: string
  /** SIGKILL. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** Needs root. Its data, its socket and its bridge are gone after the test. */
export async function startEngine(stack: AsyncDisposableStack): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'crash-engine-'))
  stack.defer(() => removeEngineFolder(folder))
  const bridge = await makeBridge(stack)
  const socket = join(folder, 'docker.sock')
  const start = () =>
    startProcess({
      program: 'dockerd',
      args: [
        `--data-root=${join(folder, 'data')}`,
        `--exec-root=${join(folder, 'exec')}`,
        `--pidfile=${join(folder, 'docker.pid')}`,
        `--host=unix://${socket}`,
        `--bridge=${bridge}`,
        // The tables of this machine belong to the engine that is there already.
        '--iptables=false',
        '--ip-masq=false',
      ],
      folder,
      logFile: join(folder, 'dockerd.log'),
      readyWithinMs: 60_000,
      ready: () =>
        callEngine(socket, { method: 'GET', path: '/_ping' }).then(
          answer => answer.status === 200,
          () => false,
        ),
    })
  let running: BackgroundProcess = await start()
  stack.defer(() => running.close())
  return {
    socket,
    async kill() {
      process.kill(running.pid, 'SIGKILL')
      await running.ended
    },
    async start() {
      // Where nobody collects orphans, the processes that these files name stay in the table as dead ones.
      for (const file of ['docker.pid', 'exec/containerd/containerd.pid']) {
        await rm(join(folder, file), { force: true })
      }
      running = await start()
    },
  }
}

async function makeBridge(stack: AsyncDisposableStack): Promise<string> {
  const name = `crash${process.pid % 100_000}`
  const at = { folder: '/' }
  await mustRun('ip', ['link', 'add', name, 'type', 'bridge'], at)
  stack.defer(async () => void (await command('ip', ['link', 'delete', name], at)))
  const address = (await freeSubnet()).replace(/\.0\/24$/, '.1/24')
  await mustRun('ip', ['address', 'add', address, 'dev', name], at)
  await mustRun('ip', ['link', 'set', name, 'up'], at)
  return name
}
