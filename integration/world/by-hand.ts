import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { DOCKER_SOCKET } from '#cli/demo/engine.ts'
import { mustRun } from './command.ts'

/** The real client, as a person uses it. */
export function docker(...args: readonly string[]): Promise<string> {
  return mustRun('docker', [...args], { folder: '/tmp' })
}

// biome-ignore lint/suspicious/noExplicitAny: the engine's own JSON, read by the tests only
export async function inspected(name: string): Promise<any> {
  return JSON.parse(await docker('inspect', '--type=container', name))[0]
}

/** Makes a container anew under its own name, as it was but for a change of what the engine is asked for. */
export async function recreate(
  name: string,
  // biome-ignore lint/suspicious/noExplicitAny: the engine's own JSON
  change: (spec: any) => void,
): Promise<void> {
  const { Config, HostConfig, NetworkSettings } = await inspected(name)
  const [[network, endpoint]] = Object.entries(NetworkSettings.Networks) as [[string, { Aliases: string[] }]]
  const EndpointsConfig = { [network]: { Aliases: endpoint.Aliases } }
  const spec = { ...Config, HostConfig, NetworkingConfig: { EndpointsConfig } }
  change(spec)
  await docker('rm', '--force', name)
  await create(name, spec)
  await docker('start', name)
}

async function create(name: string, spec: object): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const path = `/containers/create?name=${encodeURIComponent(name)}`
  const headers = { 'content-type': 'application/json' }
  request({ socketPath: DOCKER_SOCKET, method: 'POST', path, headers, agent: false }, async answer => {
    const said = await text(answer)
    if (answer.statusCode === 201) {
      resolve()
    } else {
      reject(new Error(`the engine does not create ${name}: ${said}`))
    }
  })
    .on('error', reject)
    .end(JSON.stringify(spec))
  await promise
}

/** All of a container that a release decides; nothing that differs between two containers of one release. */
export async function essence(name: string): Promise<unknown> {
  const { Config, HostConfig, Image, Mounts, NetworkSettings, State, Id, Name } = await inspected(name)
  const labels = Object.entries(Config.Labels).filter(
    ([key]) => !/container-number|replace|environment_file/.test(key),
  )
  const own = [Id.slice(0, 12), Name.slice(1)]
  const networks = Object.entries(NetworkSettings.Networks as Record<string, { Aliases: string[] | null }>)
  return {
    image: Image,
    state: State.Status,
    health: State.Health?.Status ?? 'none',
    labels: Object.fromEntries(labels.sort()),
    environment: [...(Config.Env ?? [])].sort(),
    restart: HostConfig.RestartPolicy.Name,
    memory: HostConfig.Memory,
    ports: HostConfig.PortBindings ?? {},
    mounts: (Mounts as { Type: string; Name?: string; Source: string; Destination: string; RW: boolean }[])
      .map(each => [each.Type, each.Name ?? each.Source, each.Destination, each.RW].join(' '))
      .sort(),
    networks: networks
      .map(([network, { Aliases }]) => [
        network,
        (Aliases ?? []).filter(alias => !own.includes(alias)).sort(),
      ])
      .sort(),
  }
}
