import { COMMANDS } from '#commands/index.ts'
import { AGENT_FRAMES, CommandEnvelope, MANAGER_FRAMES } from '#contract/agent-frames.ts'
import type { Schema } from './test-subset.ts'

/** All that a manager and its agents of one version say to each other. */
export interface Contract {
  readonly fromAgent: Readonly<Record<string, Schema>>
  readonly fromManager: Readonly<Record<string, Schema>>
  /** Around the data of every command. */
  readonly envelope: Schema
  readonly commands: Readonly<Record<string, CommandContract>>
}

interface CommandContract {
  readonly role: string
  readonly data: Schema
  readonly result: Schema
}

export function contractOfToday(): Contract {
  const commands = COMMANDS.map(({ name, role, data, result }) => [name, { role, data, result }] as const)
  const contract = {
    fromAgent: AGENT_FRAMES,
    fromManager: MANAGER_FRAMES,
    envelope: CommandEnvelope,
    commands: Object.fromEntries(commands.sort(([one], [other]) => (one < other ? -1 : 1))),
  }
  // As it stands in a file: TypeBox keeps more than JSON shows.
  return JSON.parse(JSON.stringify(contract)) as Contract
}

/** A line for each frame and command, so that it can be compared. */
export function contractText(contract: Contract): string {
  const lines = (parts: Readonly<Record<string, unknown>>) =>
    Object.entries(parts).map(([name, part]) => `    ${JSON.stringify(name)}: ${JSON.stringify(part)}`)
  const { envelope, ...others } = contract
  const groups = Object.entries(others).map(
    ([name, parts]) => `  "${name}": {\n${lines(parts).join(',\n')}\n  }`,
  )
  return `{\n${[`  "envelope": ${JSON.stringify(envelope)}`, ...groups].join(',\n')}\n}\n`
}
