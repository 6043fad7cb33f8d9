import type { AgentFrame } from '#contract/agent-frames.ts'
import { asFairleadError } from '#lib/errors.ts'
import { COMMAND_INTERRUPTED } from '#link/errors.ts'
import type { Talk } from '#link/talk.ts'
import type { AgentLink } from './agent-link.ts'

/** What is said goes to the agent of this link from now on. */
export function attachTalk(talk: Talk | undefined, link: AgentLink, id: string): void {
  talk?.attach({
    say: data => void link.send('talk', { id, data }),
    heard: bytes => void link.send('heard', { id, bytes }),
    resized: size => void link.send('resize', { id, ...size }),
  })
}

/** Whether a frame belongs to the talk, which has taken it then. An agent that says more than it may ends the talk. */
export function isTalk(talk: Talk | undefined, frame: AgentFrame): boolean {
  if (!talk) {
    return false
  }
  if (frame.command === 'heard') {
    talk.giveRoom(frame.data.bytes)
    return true
  }
  if (frame.command !== 'talk') {
    return false
  }
  try {
    talk.arrive(frame.data.data)
  } catch (error) {
    talk.destroy(asFairleadError(error))
  }
  return true
}

/** After a cut: what was said in between is lost, and the agent has ended the command with the connection. */
export function refuseCut(talk: Talk | undefined, command: string): void {
  if (talk) {
    throw COMMAND_INTERRUPTED(command)
  }
}
