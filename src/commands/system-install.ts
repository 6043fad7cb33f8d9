import { type Static, Type } from 'typebox'
import { forgetOutput, listOutputs, programEnd, readOutput, runProgram } from '#programs/incus-exec.ts'
import { listFolder, type SystemInstance } from '#programs/incus-instances.ts'
import { packagesHash, SYSTEM_KEY } from '#programs/incus-system.ts'
import type { Hands } from './command.ts'
import { defineSystemChange } from './system-at-member.ts'
import { SystemInstallData } from './system-data.ts'
import { SYSTEM_NOT_INSTALLED, SYSTEM_NOT_RUNNING, SYSTEM_WITHOUT_PACKAGES } from './system-errors.ts'
import { ended, mustFind, note, systemsOf, untilIdle } from './system-incus.ts'
import { isUp } from './system-state.ts'

const SSH_PACKAGE = 'openssh-server'
/** Either lets keys in: an image that has one needs no other. */
const SSH_SERVERS = ['sshd', 'dropbear']
/** Right after its first start a container has no network yet. */
const NETWORK_WITHIN_MS = 60_000
const TRY_AGAIN_MS = 2_000
const MOST_LINES = 8
const APT = ['apt-get', '--yes', '--option', 'DPkg::Lock::Timeout=300']
const INSTALL = [...APT, 'install', '--no-install-recommends']

export const systemInstall = defineSystemChange({
  name: 'system.install',
  summary:
    'Installs the packages of its profile in a system container that runs; what is there stays as it is.',
  data: SystemInstallData,
  result: Type.Object({}, { additionalProperties: false }),
  deadlineMs: 1_800_000,
  run: install,
})

async function install(hands: Hands, data: Static<typeof SystemInstallData>): Promise<Record<string, never>> {
  const { socket } = systemsOf(hands)
  const found = await mustFind(hands, data)
  const { name } = found
  if (!isUp(found)) {
    throw SYSTEM_NOT_RUNNING(name, found.status)
  }
  // What an earlier worker has begun in it ends first.
  await untilIdle(hands, name)
  for (const output of await hands.perform(listOutputs(socket, name))) {
    await hands.perform(forgetOutput(socket, output))
  }
  const programs = await hands.perform(listFolder(socket, name, '/usr/sbin'))
  const hasSsh = SSH_SERVERS.some(each => programs.includes(each))
  const missing = data.packages.filter(each => !(hasSsh && each === SSH_PACKAGE))
  if (missing.length > 0) {
    await installMissing(hands, found, missing)
  }
  await note(hands, name, { [SYSTEM_KEY.packages]: packagesHash(data.packages) })
  return {}
}

async function installMissing(
  hands: Hands,
  { name }: SystemInstance,
  packages: readonly string[],
): Promise<void> {
  const { socket } = systemsOf(hands)
  if (!(await hands.perform(listFolder(socket, name, '/usr/bin'))).includes('apt-get')) {
    throw SYSTEM_WITHOUT_PACKAGES(name, packages)
  }
  const run = (command: readonly string[]) => runIn(hands, name, command)
  // Of an installation that was cut off.
  await run(['dpkg', '--configure', '-a'])
  // Whatever is there already needs no network.
  if ((await run([...INSTALL, '--no-download', ...packages])).exitCode !== 0) {
    const deadline = hands.clock.monotonic() + NETWORK_WITHIN_MS
    for (;;) {
      const update = await run([...APT, '--option', 'APT::Update::Error-Mode=any', 'update'])
      if (update.exitCode === 0) {
        break
      }
      if (hands.clock.monotonic() >= deadline) {
        throw SYSTEM_NOT_INSTALLED(name, packages, update.lastLines)
      }
      await hands.clock.sleep(TRY_AGAIN_MS, hands.signal)
    }
    const end = await run([...INSTALL, ...packages])
    if (end.exitCode !== 0) {
      throw SYSTEM_NOT_INSTALLED(name, packages, end.lastLines)
    }
  }
  hands.say(`"${name}" has ${packages.join(', ')}`, 'info')
}

async function runIn(
  hands: Hands,
  name: string,
  command: readonly string[],
): Promise<{ readonly exitCode: number; readonly lastLines: string }> {
  const { socket } = systemsOf(hands)
  const doing = { what: `given its packages (${command[0]})`, name }
  const end = programEnd(await ended(hands, doing, hands.perform(runProgram(socket, name, command))))
  const texts: string[] = []
  for (const output of end.outputs) {
    texts.push(await hands.perform(readOutput(socket, output)))
    await hands.perform(forgetOutput(socket, output))
  }
  const lines = texts.flatMap(text => text.split('\n')).filter(line => line.trim() !== '')
  return { exitCode: end.exitCode, lastLines: lines.slice(-MOST_LINES).join('\n').slice(0, 2_000) }
}
