import { isOn, type Shape, scalarText, shapeOf, shapesOf } from '#policy/shape.ts'

/**
 * Why no second container of a service may run beside the first, in words that go on from "not beside the old one:".
 * None: a new container can start, be waited for and take over while the old one still serves.
 */
export function reasonsToBeAlone(
  model: Shape,
  name: string,
  sharedVolumes: readonly string[] = [],
): readonly string[] {
  const service = shapeOf(shapeOf(model.services)[name])
  return [
    ...ownResources(service),
    ...writtenVolumes(service, sharedVolumes),
    ...Object.entries(shapeOf(model.services)).flatMap(([other, value]) =>
      other === name ? [] : tiesOf(other, shapeOf(value), name),
    ),
  ]
}

/** What the host has only once. */
function ownResources(service: Shape): string[] {
  const ports = shapesOf(service.ports).flatMap(({ published }) => scalarText(published) ?? [])
  const networks = Object.values(shapeOf(service.networks)).map(shapeOf)
  const mode = scalarText(service.network_mode)
  const asked: readonly (readonly [boolean, string])[] = [
    [ports.length > 0, `it publishes host port ${ports.join(', ')}`],
    [scalarText(service.container_name) !== undefined, 'it has a "container_name"'],
    [mode !== undefined, `its "network_mode" is "${mode}"`],
    [
      networks.some(({ ipv4_address, ipv6_address }) => isSet(ipv4_address) || isSet(ipv6_address)),
      'it has a fixed address',
    ],
    [
      isSet(service.mac_address) || networks.some(({ mac_address }) => isSet(mac_address)),
      'it has a fixed MAC address',
    ],
    [shapesOf(service.devices).length > 0 || Array.isArray(service.devices), 'it uses devices of the host'],
    [isSet(service.ipc) && scalarText(service.ipc) !== 'private', 'it shares memory ("ipc")'],
    [isSet(service.post_start) || isSet(service.pre_stop), 'Compose itself has to run its hooks'],
  ]
  return asked.flatMap(([asks, why]) => (asks ? [why] : []))
}

/** Two programs that write to the same files at once may destroy them, unless somebody says that they do not. */
function writtenVolumes(service: Shape, shared: readonly string[]): string[] {
  return shapesOf(service.volumes).flatMap(mount => {
    const target = scalarText(mount.target) ?? ''
    const source = scalarText(mount.source)
    const isWritten = (mount.type === 'volume' || mount.type === 'bind') && !isOn(mount.read_only)
    if (!isWritten || shared.includes(target) || (source !== undefined && shared.includes(source))) {
      return []
    }
    return [
      source === undefined || mount.type === 'bind'
        ? `it writes to ${target}`
        : `it has the volume "${source}"`,
    ]
  })
}

/** Another service that holds on to the container itself, not to the name. */
function tiesOf(other: string, service: Shape, name: string): string[] {
  const shares = ['network_mode', 'ipc', 'pid'].some(key => scalarText(service[key]) === `service:${name}`)
  const volumes = texts(service.volumes_from).some(each => each === name || each.startsWith(`${name}:`))
  const links = texts(service.links).some(each => each === name || each.startsWith(`${name}:`))
  if (shares || volumes || links) {
    return [`"${other}" is tied to its container`]
  }
  return isOn(shapeOf(shapeOf(service.depends_on)[name]).restart)
    ? [`"${other}" wants to be restarted with it`]
    : []
}

function texts(list: unknown): string[] {
  return Array.isArray(list) ? list.flatMap(each => scalarText(each) ?? []) : []
}

function isSet(value: unknown): boolean {
  return (
    value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
  )
}
