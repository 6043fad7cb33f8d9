import { Type } from 'typebox'
import { openShell } from '#programs/incus-exec.ts'
import { defineCommand } from './command.ts'
import { SystemConsoleData } from './system-data.ts'
import { SYSTEM_FAILED, SYSTEM_NOT_RUNNING } from './system-errors.ts'
import { endOf, mustFind, systemsOf } from './system-incus.ts'
import { isUp } from './system-state.ts'

const DAY_MS = 24 * 3_600_000

export const systemConsole = defineCommand({
  name: 'system.console',
  summary: 'Opens a shell of root in a system container for whoever sits before the manager.',
  role: 'worker',
  engineFree: true,
  talks: true,
  data: SystemConsoleData,
  result: Type.Object(
    { exitCode: Type.Union([Type.Integer(), Type.Null()]) },
    { additionalProperties: false },
  ),
  deadlineMs: DAY_MS,
  async run(hands, data) {
    const { socket } = systemsOf(hands)
    const { name, status } = await mustFind(hands, data)
    const { talk: partner } = hands
    const doing = { what: 'given a console', name }
    if (!isUp({ status })) {
      throw SYSTEM_NOT_RUNNING(name, status)
    }
    if (!partner) {
      throw SYSTEM_FAILED(doing.what, name, 'nobody sits before it any more')
    }
    const shell = await hands.perform(openShell(socket, name, data))
    if (shell.kind === 'refused') {
      throw SYSTEM_FAILED(doing.what, name, shell.reason)
    }
    const { sockets, operation } = shell
    const gone = await hands.perform({
      ...{ kind: 'terminal', engine: { kind: 'incus', socket }, sockets, partner },
      read: (who: 'program' | 'partner') => who,
    } as const)
    if (gone === 'partner') {
      return { exitCode: null }
    }
    const { return: exitCode = null } = (await endOf(hands, doing, operation)) as { return?: number | null }
    return { exitCode }
  },
})
