import type { AgentFrame } from '#contract/agent-frames.ts'
import type { Identity } from '#link/identity.ts'
import { certificateId } from '#link/public-identity.ts'
import type { AgentLink } from './agent-link.ts'
import type { AgentPins } from './agent-pins.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { AGENT_OFFLINE } from './errors.ts'

interface Sides {
  readonly pins: AgentPins
  /** As whom this manager speaks on the link. */
  readonly as: Identity
  readonly options: Pick<ConnectionOptions, 'identity' | 'key'>
}

/** Comes back at once. */
const RESTARTED = 1012

/** Does what a frame about certificates and keys asks for; undefined: it is about something else. */
export function aboutKeys(link: AgentLink, frame: AgentFrame, sides: Sides): Promise<void> | undefined {
  const { pins, as } = sides
  switch (frame.command) {
    case 'rotate':
      return pins
        .learn(frame.data)
        .then(() => void link.send('rotated', { certificateId: certificateId(frame.data.certificate) }))
    case 'rotated':
      as.certificates.noteKnown(pins.current.keyId, frame.data.certificateId)
      return Promise.resolve()
    case 'successor':
      return pins.follow(frame.data).then(({ keyId }) => void link.send('succeeds', { keyId }))
    case 'succeeds':
      return succeed(link, frame.data.keyId, sides)
    default:
      return undefined
  }
}

/** The agent has pinned the present key of this manager: from now on it is reached by that. */
async function succeed(link: AgentLink, keyId: string, { options, pins }: Sides): Promise<void> {
  const { identity, key } = options
  if (!key || keyId !== identity.keyId) {
    throw new Error('succeeds about no key of this manager')
  }
  await key.learnt()
  link.close(RESTARTED, AGENT_OFFLINE(pins.current.name, 'this manager comes back with its new key'))
}
