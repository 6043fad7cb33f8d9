import { Type } from 'typebox'
import { asFairleadError, type FairleadError } from '#lib/errors.ts'
import { readStartLog, type SystemInstance, setState } from '#programs/incus-instances.ts'
import { SYSTEM_KEY } from '#programs/incus-system.ts'
import { defineCommand, type Hands } from './command.ts'
import { defineSystemChange } from './system-at-member.ts'
import { SystemStartData, SystemStopData, SystemVerifyData } from './system-data.ts'
import { SYSTEM_FAILED, SYSTEM_NOT_ANSWERING } from './system-errors.ts'
import { ended, mustFind, note, systemsOf } from './system-incus.ts'
import { reachedAt } from './system-members.ts'

const strict = { additionalProperties: false } as const
const Empty = Type.Object({}, strict)
/** So long what runs in a container has to end by itself. */
const STOP_SECONDS = 20
const START_SECONDS = 60
const LOOK_AGAIN_MS = 100
const GREETING_MS = 2_000
const MOST_LINES = 5

export const systemStart = defineSystemChange({
  name: 'system.start',
  summary: 'Starts a system container, or starts it anew when that was asked for since its last start.',
  data: SystemStartData,
  result: Empty,
  deadlineMs: 300_000,
  async run(hands, { id, name, restarts, deployment }) {
    const found = await mustFind(hands, { id, name })
    if (isUp(found) && Number(found.config[SYSTEM_KEY.restarts] ?? 0) !== restarts) {
      await stopInstance(hands, found)
    }
    await startInstance(hands, await mustFind(hands, { id, name }))
    await note(hands, found.name, {
      [SYSTEM_KEY.restarts]: String(restarts),
      [SYSTEM_KEY.deployment]: deployment,
    })
    return {}
  },
})

export const systemStop = defineSystemChange({
  name: 'system.stop',
  summary: 'Stops a system container; what does not end by itself within 20 seconds is ended.',
  data: SystemStopData,
  result: Empty,
  deadlineMs: 300_000,
  async run(hands, whose) {
    const found = await mustFind(hands, whose)
    await stopInstance(hands, found)
    const { deployment } = whose
    const by = deployment === undefined ? {} : { [SYSTEM_KEY.deployment]: deployment }
    // Whoever carries it to another member after this is not to start it.
    await note(hands, found.name, { [SYSTEM_KEY.carried]: '', ...by })
    return {}
  },
})

export const systemVerify = defineCommand({
  name: 'system.verify',
  summary: 'Fails unless a system container is as its deployment wants it and its SSH server answers.',
  role: 'worker',
  looksOnly: true,
  engineFree: true,
  data: SystemVerifyData,
  result: Type.Object({ name: Type.String(), status: Type.String(), greeting: Type.String() }, strict),
  deadlineMs: 300_000,
  run: verify,
})

async function verify(hands: Hands, data: SystemVerifyData) {
  const found = await mustFind(hands, data)
  const { name, status, config, location } = found
  if (name !== data.name || config[SYSTEM_KEY.config] !== data.configHash) {
    throw SYSTEM_NOT_ANSWERING(data.name, 'it is not the one that was planned')
  }
  if (data.member !== undefined && location !== data.member) {
    throw SYSTEM_NOT_ANSWERING(name, `it is on "${location}"`)
  }
  if (isUp(found) !== data.running) {
    throw SYSTEM_NOT_ANSWERING(name, `it is ${status}`)
  }
  const place = { host: await reachedAt(hands, found), port: data.ssh ?? 0 }
  const greeting = data.running && data.ssh !== undefined ? await greetingAt(hands, data, place) : ''
  return { name, status, greeting }
}

/** A port that is forwarded takes connections before anything in the container does: only words count. */
export async function greetingAt(
  hands: Hands,
  { name, withinMs }: Pick<SystemVerifyData, 'name' | 'withinMs'>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  const deadline = hands.clock.monotonic() + withinMs
  for (;;) {
    const call = {
      kind: 'greeting',
      host,
      port,
      timeoutMs: GREETING_MS,
      read: (line: string) => line,
    } as const
    const line = await hands.perform(call)
    if (line.startsWith('SSH-')) {
      return line
    }
    if (hands.clock.monotonic() >= deadline) {
      const what = line === '' ? 'nobody' : 'something else than an SSH server'
      throw SYSTEM_NOT_ANSWERING(name, `${what} answers at port ${port} of ${host}`)
    }
    await hands.clock.sleep(LOOK_AGAIN_MS, hands.signal)
  }
}

export function isUp({ status }: Pick<SystemInstance, 'status'>): boolean {
  return status === 'running' || status === 'frozen'
}

export async function startInstance(hands: Hands, found: SystemInstance): Promise<void> {
  if (found.status === 'running') {
    return
  }
  const { socket } = systemsOf(hands)
  const { name } = found
  // Whoever froze it by hand left its programs as they were.
  const action = found.status === 'frozen' ? 'unfreeze' : 'start'
  const state = { action, timeoutSeconds: START_SECONDS } as const
  try {
    await ended(hands, { what: 'started', name }, hands.perform(setState(socket, name, state)))
  } catch (error) {
    hands.signal.throwIfAborted()
    throw SYSTEM_FAILED('started', name, await whyNot(hands, name, asFairleadError(error)))
  }
  hands.say(`started "${name}"`, 'info')
}

/** What Incus says of a start that failed is only that it did; the log of the container has the reason. */
async function whyNot(hands: Hands, name: string, error: FairleadError): Promise<string> {
  const log = await hands.perform(readStartLog(systemsOf(hands).socket, name)).catch(() => '')
  const errors = log.split('\n').filter(line => / ERROR /.test(line))
  const said = String(error.facts?.reason ?? error.message)
  return [said, ...errors.slice(-MOST_LINES)].join('\n').slice(0, 2_000)
}

export async function stopInstance(hands: Hands, found: SystemInstance): Promise<void> {
  if (!isUp(found)) {
    return
  }
  const { socket } = systemsOf(hands)
  const { name } = found
  const doing = { what: 'stopped', name }
  const state = { action: 'stop', timeoutSeconds: STOP_SECONDS } as const
  try {
    await ended(hands, doing, hands.perform(setState(socket, name, state)))
  } catch {
    hands.signal.throwIfAborted()
    hands.say(`"${name}" did not stop by itself within ${STOP_SECONDS} s and is ended`, 'info')
    await ended(hands, doing, hands.perform(setState(socket, name, { ...state, force: true })))
  }
  hands.say(`stopped "${name}"`, 'info')
}
