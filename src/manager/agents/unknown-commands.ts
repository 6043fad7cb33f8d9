import type { Agents } from './agents.ts'

/** Whether the agent of a host says that it knows a command; it does not while it is away. */
export function knownTo(agents: Pick<Agents, 'state'>, host: string): (command: string) => boolean {
  return command => agents.state(host)?.agent?.capabilities.includes(command) === true
}

/** Which of these commands the agent of a connected host does not know: it is of an older release. None while it is away. */
export function unknownCommands(
  agents: Pick<Agents, 'state'>,
  host: string,
  commands: readonly string[],
): readonly string[] {
  const { status, agent } = agents.state(host) ?? {}
  return status === 'connected' && agent ? commands.filter(each => !agent.capabilities.includes(each)) : []
}
