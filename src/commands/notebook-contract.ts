import { inspectContract } from '#programs/image-contract.ts'
import type { Hands } from './command.ts'

/** What an image of a project's own lacks to serve as a notebook; said in the log, because it may serve all the same. */
export async function sayContract(hands: Hands, reference: string): Promise<string[]> {
  const image = await hands.perform(inspectContract(hands.host.dockerSocket, reference))
  const missing = [
    ...(/^1000(?::1000)?$/.test(image.user) ? [] : [`USER 1000:1000 (it has ${image.user || 'root'})`]),
    ...(image.command.length > 0 ? [] : ['ENTRYPOINT or CMD']),
    ...(image.ports.includes('8888/tcp') ? [] : ['EXPOSE 8888']),
    ...(image.command.some(word => word.endsWith('nb-entrypoint'))
      ? []
      : ['nb-entrypoint, which reads the token and refuses to serve without one']),
  ]
  for (const each of missing) {
    hands.say(`the Dockerfile of the project has no ${each}`, 'stderr')
  }
  return missing
}
