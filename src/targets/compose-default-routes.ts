import { longForms } from '#policy/compose-syntax.ts'
import { isFinding, readComposeText } from '#policy/compose-text.ts'
import { listOf, type Shape, scalarText, shapeOf, shapesOf } from '#policy/shape.ts'

/** Ports of databases, queues and other services that speak no HTTP. */
const NOT_HTTP = new Set([
  ...[
    21, 22, 25, 53, 110, 123, 143, 389, 465, 514, 587, 636, 853, 993, 995, 1433, 1521, 1883, 2049, 2181, 3306,
  ],
  ...[4222, 5060, 5432, 5433, 5671, 5672, 6379, 6432, 7687, 8883, 9042, 9092, 11211, 26257, 27017, 33060],
])

/**
 * Where the app's address leads when nobody says: to the first service, in the order of the files, that exposes or
 * publishes exactly one container port that may speak HTTP. Nothing when there is none, or a file cannot be read.
 */
export function defaultRoutes(
  files: readonly string[],
  texts: Readonly<Record<string, string>>,
): { service: string; port: number }[] {
  const ports = new Map<string, Set<number>>()
  for (const file of files) {
    const read = readComposeText(file, texts[file] ?? '')
    if (isFinding(read)) {
      return []
    }
    for (const [name, service] of Object.entries(shapeOf(longForms(read.model).services))) {
      const found = ports.get(name) ?? new Set()
      portsOf(shapeOf(service)).forEach(port => void found.add(port))
      ports.set(name, found)
    }
  }
  for (const [service, found] of ports) {
    const [port] = found
    if (found.size === 1 && port !== undefined && !NOT_HTTP.has(port)) {
      return [{ service, port }]
    }
  }
  return []
}

/** Container ports over TCP; none for a service that only runs in a profile or without a network of its own. */
function portsOf(service: Shape): number[] {
  if (listOf(service.profiles).length > 0 || scalarText(service.network_mode) !== undefined) {
    return []
  }
  const published = shapesOf(service.ports)
    .filter(port => (scalarText(port.protocol) ?? 'tcp') === 'tcp')
    .map(port => scalarText(port.target) ?? '')
  const exposed = listOf(service.expose).flatMap(port => {
    const [number = '', protocol = 'tcp'] = (scalarText(port) ?? '').split('/')
    return protocol === 'tcp' ? [number] : []
  })
  return [...published, ...exposed]
    .map(Number)
    .filter(port => Number.isInteger(port) && port > 0 && port < 65_536)
}
