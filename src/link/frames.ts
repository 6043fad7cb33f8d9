import { type Static, Type } from 'typebox'
import type { RawData } from 'ws'
import { AGENT_FRAMES, type AgentFrame, MANAGER_FRAMES, type ManagerFrame } from '#contract/agent-frames.ts'
import { check } from '#lib/check.ts'
import { BAD_FRAME } from './errors.ts'
import { parseStrict } from './strict-json.ts'

const Frame = Type.Object(
  {
    command: Type.String({ pattern: '^[a-z][a-zA-Z0-9.-]{0,63}$' }),
    data: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
)
/** A frame whose data nobody has looked at yet. */
export type RawFrame = Static<typeof Frame>

/** The text of a frame. */
export function encodeFrame(command: string, data: unknown): string {
  return JSON.stringify({ command, data })
}

/** The envelope of what a socket received. Throws BAD_FRAME. */
export function readFrame(received: RawData | string, kind: 'binary' | 'text'): RawFrame {
  if (kind === 'binary') {
    throw BAD_FRAME('The frame', 'it is binary, only text is spoken')
  }
  return check(Frame, parseStrict(String(received), 'The frame'), 'The frame', BAD_FRAME)
}

/** The frame as one that agents send, its data checked. Throws BAD_FRAME. */
export function asAgentFrame({ command, data }: RawFrame): AgentFrame {
  if (!Object.hasOwn(AGENT_FRAMES, command)) {
    throw BAD_FRAME('The frame', `agents send no ${JSON.stringify(command)}`)
  }
  check(AGENT_FRAMES[command as AgentFrame['command']], data, `The frame ${command}`, BAD_FRAME)
  return { command, data } as AgentFrame
}

/** The frame as one that managers send beside commands, its data checked; undefined for any other. Throws BAD_FRAME. */
export function asManagerFrame({ command, data }: RawFrame): ManagerFrame | undefined {
  if (!Object.hasOwn(MANAGER_FRAMES, command)) {
    return undefined
  }
  check(MANAGER_FRAMES[command as ManagerFrame['command']], data, `The frame ${command}`, BAD_FRAME)
  return { command, data } as ManagerFrame
}
